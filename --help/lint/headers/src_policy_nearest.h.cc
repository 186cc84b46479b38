#include "policy/nearest.h"
#include "policy/nearest.h"
