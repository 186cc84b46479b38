#include "cli/client.h"
#include "cli/client.h"
