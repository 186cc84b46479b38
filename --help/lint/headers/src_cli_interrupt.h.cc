#include "cli/interrupt.h"
#include "cli/interrupt.h"
