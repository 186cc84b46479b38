#include "orchestrator/cgroup.h"
#include "orchestrator/cgroup.h"
