#include "dispatcher/run_manager.h"
#include "dispatcher/run_manager.h"
