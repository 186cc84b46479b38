#include "sandbox/init/plan_reader.h"
#include "sandbox/init/plan_reader.h"
