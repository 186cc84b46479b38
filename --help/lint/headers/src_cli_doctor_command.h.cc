#include "cli/doctor_command.h"
#include "cli/doctor_command.h"
