#include "sandbox/init/syscall.h"
#include "sandbox/init/syscall.h"
