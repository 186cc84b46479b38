#include "policy/located.h"
#include "policy/located.h"
