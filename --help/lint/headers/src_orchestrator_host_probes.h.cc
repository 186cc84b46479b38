#include "orchestrator/host_probes.h"
#include "orchestrator/host_probes.h"
