#include "policy/syscall_rules.h"
#include "policy/syscall_rules.h"
