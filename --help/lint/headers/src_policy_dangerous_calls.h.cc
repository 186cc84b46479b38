#include "policy/dangerous_calls.h"
#include "policy/dangerous_calls.h"
