#include "policy/errno_names.h"
#include "policy/errno_names.h"
