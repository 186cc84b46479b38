#include "orchestrator/verdict.h"
#include "orchestrator/verdict.h"
