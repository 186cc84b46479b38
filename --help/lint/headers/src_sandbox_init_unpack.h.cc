#include "sandbox/init/unpack.h"
#include "sandbox/init/unpack.h"
