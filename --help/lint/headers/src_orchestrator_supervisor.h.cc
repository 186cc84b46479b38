#include "orchestrator/supervisor.h"
#include "orchestrator/supervisor.h"
