#include "orchestrator/dispatcher_process.h"
#include "orchestrator/dispatcher_process.h"
