#include "orchestrator/start_check.h"
#include "orchestrator/start_check.h"
