#include "sandbox/setup_stage_text.h"
#include "sandbox/setup_stage_text.h"
