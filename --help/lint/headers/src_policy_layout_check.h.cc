#include "policy/layout_check.h"
#include "policy/layout_check.h"
