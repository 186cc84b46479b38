#include "policy/syscall_groups.h"
#include "policy/syscall_groups.h"
