#include "orchestrator/dispatcher_link.h"
#include "orchestrator/dispatcher_link.h"
