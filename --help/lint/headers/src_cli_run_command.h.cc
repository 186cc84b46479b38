#include "cli/run_command.h"
#include "cli/run_command.h"
