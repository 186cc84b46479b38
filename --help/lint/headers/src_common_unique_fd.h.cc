#include "common/unique_fd.h"
#include "common/unique_fd.h"
