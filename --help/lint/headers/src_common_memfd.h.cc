#include "common/memfd.h"
#include "common/memfd.h"
