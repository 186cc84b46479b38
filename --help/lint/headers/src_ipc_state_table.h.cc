#include "ipc/state_table.h"
#include "ipc/state_table.h"
