#include "policy/profile_resolver.h"
#include "policy/profile_resolver.h"
