#include "policy/profile_loader.h"
#include "policy/profile_loader.h"
