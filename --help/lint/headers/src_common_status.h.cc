#include "common/status.h"
#include "common/status.h"
