#include "dispatcher/execute_reactor.h"
#include "dispatcher/execute_reactor.h"
