#include "policy/profile_source.h"
#include "policy/profile_source.h"
