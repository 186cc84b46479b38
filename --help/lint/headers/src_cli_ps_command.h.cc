#include "cli/ps_command.h"
#include "cli/ps_command.h"
