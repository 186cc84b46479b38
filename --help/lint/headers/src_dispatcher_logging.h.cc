#include "dispatcher/logging.h"
#include "dispatcher/logging.h"
