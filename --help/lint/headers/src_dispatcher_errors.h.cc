#include "dispatcher/errors.h"
#include "dispatcher/errors.h"
