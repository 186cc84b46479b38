#include "sandbox/user_namespace.h"
#include "sandbox/user_namespace.h"
