#include "orchestrator/cgroup_places.h"
#include "orchestrator/cgroup_places.h"
