#include "dispatcher/request_bundle.h"
#include "dispatcher/request_bundle.h"
