#include "dispatcher/run_registry.h"
#include "dispatcher/run_registry.h"
