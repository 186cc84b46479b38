#include "sandbox/init/exec_image.h"
#include "sandbox/init/exec_image.h"
