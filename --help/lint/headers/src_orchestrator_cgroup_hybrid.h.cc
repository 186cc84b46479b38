#include "orchestrator/cgroup_hybrid.h"
#include "orchestrator/cgroup_hybrid.h"
