#include "orchestrator/id_pool.h"
#include "orchestrator/id_pool.h"
