#include "sandbox/setup_stage.h"
#include "sandbox/setup_stage.h"
