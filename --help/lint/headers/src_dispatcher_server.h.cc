#include "dispatcher/server.h"
#include "dispatcher/server.h"
