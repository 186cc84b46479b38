#include "dispatcher/profile_catalog.h"
#include "dispatcher/profile_catalog.h"
