#include "cli/version_command.h"
#include "cli/version_command.h"
