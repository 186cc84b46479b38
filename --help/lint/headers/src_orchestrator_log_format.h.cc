#include "orchestrator/log_format.h"
#include "orchestrator/log_format.h"
