#include "policy/filter_compiler.h"
#include "policy/filter_compiler.h"
