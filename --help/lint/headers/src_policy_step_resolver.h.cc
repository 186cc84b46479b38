#include "policy/step_resolver.h"
#include "policy/step_resolver.h"
