#include "cli/error_text.h"
#include "cli/error_text.h"
