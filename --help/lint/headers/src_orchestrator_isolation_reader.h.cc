#include "orchestrator/isolation_reader.h"
#include "orchestrator/isolation_reader.h"
