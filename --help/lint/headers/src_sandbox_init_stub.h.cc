#include "sandbox/init/stub.h"
#include "sandbox/init/stub.h"
