#include "policy/limits.h"
#include "policy/limits.h"
