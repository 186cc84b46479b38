#include "dispatcher/event_queue.h"
#include "dispatcher/event_queue.h"
