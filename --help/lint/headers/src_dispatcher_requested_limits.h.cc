#include "dispatcher/requested_limits.h"
#include "dispatcher/requested_limits.h"
