#include "dispatcher/request_validation.h"
#include "dispatcher/request_validation.h"
