#include "orchestrator/mount_info.h"
#include "orchestrator/mount_info.h"
