#include "sandbox/plan.h"
#include "sandbox/plan.h"
