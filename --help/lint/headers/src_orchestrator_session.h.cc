#include "orchestrator/session.h"
#include "orchestrator/session.h"
