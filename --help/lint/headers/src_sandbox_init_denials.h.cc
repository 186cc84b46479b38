#include "sandbox/init/denials.h"
#include "sandbox/init/denials.h"
