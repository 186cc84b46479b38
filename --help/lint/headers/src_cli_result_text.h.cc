#include "cli/result_text.h"
#include "cli/result_text.h"
