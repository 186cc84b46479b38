#include "sandbox/kernel_features.h"
#include "sandbox/kernel_features.h"
