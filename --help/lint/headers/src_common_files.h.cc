#include "common/files.h"
#include "common/files.h"
