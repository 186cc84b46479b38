#include "dispatcher/self_filter.h"
#include "dispatcher/self_filter.h"
