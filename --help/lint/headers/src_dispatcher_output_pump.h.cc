#include "dispatcher/output_pump.h"
#include "dispatcher/output_pump.h"
