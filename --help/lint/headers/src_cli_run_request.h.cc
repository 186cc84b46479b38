#include "cli/run_request.h"
#include "cli/run_request.h"
