#include "sandbox/init/report.h"
#include "sandbox/init/report.h"
