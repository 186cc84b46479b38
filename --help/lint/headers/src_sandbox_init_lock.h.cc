#include "sandbox/init/lock.h"
#include "sandbox/init/lock.h"
