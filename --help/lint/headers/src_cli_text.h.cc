#include "cli/text.h"
#include "cli/text.h"
