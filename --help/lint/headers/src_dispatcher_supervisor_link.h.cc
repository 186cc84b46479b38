#include "dispatcher/supervisor_link.h"
#include "dispatcher/supervisor_link.h"
