#include "cli/address.h"
#include "cli/address.h"
