#include "common/clock.h"
#include "common/clock.h"
