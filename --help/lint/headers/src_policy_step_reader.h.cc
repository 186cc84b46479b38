#include "policy/step_reader.h"
#include "policy/step_reader.h"
