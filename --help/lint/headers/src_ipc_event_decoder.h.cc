#include "ipc/event_decoder.h"
#include "ipc/event_decoder.h"
