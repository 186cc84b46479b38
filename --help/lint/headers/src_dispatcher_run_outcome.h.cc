#include "dispatcher/run_outcome.h"
#include "dispatcher/run_outcome.h"
