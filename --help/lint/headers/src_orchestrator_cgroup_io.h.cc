#include "orchestrator/cgroup_io.h"
#include "orchestrator/cgroup_io.h"
