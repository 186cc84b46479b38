#include "dispatcher/run.h"
#include "dispatcher/run.h"
