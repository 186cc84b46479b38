#include "orchestrator/proc_text.h"
#include "orchestrator/proc_text.h"
