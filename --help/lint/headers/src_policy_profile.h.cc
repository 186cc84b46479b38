#include "policy/profile.h"
#include "policy/profile.h"
