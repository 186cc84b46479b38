#include "sandbox/spawner.h"
#include "sandbox/spawner.h"
