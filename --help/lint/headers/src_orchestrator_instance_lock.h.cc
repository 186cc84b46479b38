#include "orchestrator/instance_lock.h"
#include "orchestrator/instance_lock.h"
