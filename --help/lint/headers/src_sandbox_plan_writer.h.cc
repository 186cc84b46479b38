#include "sandbox/plan_writer.h"
#include "sandbox/plan_writer.h"
