#include "sandbox/landlock_host.h"
#include "sandbox/landlock_host.h"
