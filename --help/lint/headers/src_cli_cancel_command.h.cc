#include "cli/cancel_command.h"
#include "cli/cancel_command.h"
