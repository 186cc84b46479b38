#include "cli/exit_code.h"
#include "cli/exit_code.h"
