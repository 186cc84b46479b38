#include "dispatcher/self_landlock.h"
#include "dispatcher/self_landlock.h"
