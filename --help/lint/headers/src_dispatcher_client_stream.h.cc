#include "dispatcher/client_stream.h"
#include "dispatcher/client_stream.h"
