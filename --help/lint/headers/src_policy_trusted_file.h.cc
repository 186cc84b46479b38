#include "policy/trusted_file.h"
#include "policy/trusted_file.h"
