#include "sandbox/init/supervise.h"
#include "sandbox/init/supervise.h"
