#include "dispatcher/convert.h"
#include "dispatcher/convert.h"
