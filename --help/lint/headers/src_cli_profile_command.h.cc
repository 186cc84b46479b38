#include "cli/profile_command.h"
#include "cli/profile_command.h"
