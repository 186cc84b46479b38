#include "dispatcher/denial_log.h"
#include "dispatcher/denial_log.h"
