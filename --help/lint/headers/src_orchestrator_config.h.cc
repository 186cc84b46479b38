#include "orchestrator/config.h"
#include "orchestrator/config.h"
