#include "orchestrator/host_check.h"
#include "orchestrator/host_check.h"
