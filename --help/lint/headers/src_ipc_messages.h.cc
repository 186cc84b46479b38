#include "ipc/messages.h"
#include "ipc/messages.h"
