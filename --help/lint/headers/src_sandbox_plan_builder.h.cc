#include "sandbox/plan_builder.h"
#include "sandbox/plan_builder.h"
