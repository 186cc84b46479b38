#include "orchestrator/host_places.h"
#include "orchestrator/host_places.h"
