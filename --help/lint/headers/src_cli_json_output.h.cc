#include "cli/json_output.h"
#include "cli/json_output.h"
