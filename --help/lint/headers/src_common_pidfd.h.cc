#include "common/pidfd.h"
#include "common/pidfd.h"
