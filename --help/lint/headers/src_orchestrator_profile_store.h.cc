#include "orchestrator/profile_store.h"
#include "orchestrator/profile_store.h"
