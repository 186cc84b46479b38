#include "orchestrator/sandbox_builder.h"
#include "orchestrator/sandbox_builder.h"
