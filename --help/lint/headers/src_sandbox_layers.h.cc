#include "sandbox/layers.h"
#include "sandbox/layers.h"
