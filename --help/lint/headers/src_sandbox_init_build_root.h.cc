#include "sandbox/init/build_root.h"
#include "sandbox/init/build_root.h"
