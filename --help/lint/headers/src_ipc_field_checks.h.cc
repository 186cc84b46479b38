#include "ipc/field_checks.h"
#include "ipc/field_checks.h"
