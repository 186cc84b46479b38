#include "policy/explain.h"
#include "policy/explain.h"
