#include "sandbox/init_image.h"
#include "sandbox/init_image.h"
