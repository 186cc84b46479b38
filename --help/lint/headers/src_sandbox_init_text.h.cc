#include "sandbox/init/text.h"
#include "sandbox/init/text.h"
