#include "orchestrator/cgroup_files.h"
#include "orchestrator/cgroup_files.h"
