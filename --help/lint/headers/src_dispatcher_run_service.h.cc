#include "dispatcher/run_service.h"
#include "dispatcher/run_service.h"
