#include "dispatcher/io_thread.h"
#include "dispatcher/io_thread.h"
