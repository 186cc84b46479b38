#include "sandbox/layers_outside.h"
#include "sandbox/layers_outside.h"
