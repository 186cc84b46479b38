#include "orchestrator/cgroup_unified.h"
#include "orchestrator/cgroup_unified.h"
