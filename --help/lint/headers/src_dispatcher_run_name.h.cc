#include "dispatcher/run_name.h"
#include "dispatcher/run_name.h"
