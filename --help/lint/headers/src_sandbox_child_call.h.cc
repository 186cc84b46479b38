#include "sandbox/child_call.h"
#include "sandbox/child_call.h"
