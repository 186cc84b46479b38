#include "orchestrator/cgroup_common.h"
#include "orchestrator/cgroup_common.h"
