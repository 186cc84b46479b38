#include "common/event_loop.h"
#include "common/event_loop.h"
