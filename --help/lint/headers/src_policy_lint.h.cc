#include "policy/lint.h"
#include "policy/lint.h"
