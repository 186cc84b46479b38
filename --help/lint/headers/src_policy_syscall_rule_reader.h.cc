#include "policy/syscall_rule_reader.h"
#include "policy/syscall_rule_reader.h"
