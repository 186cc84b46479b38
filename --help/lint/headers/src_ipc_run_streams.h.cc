#include "ipc/run_streams.h"
#include "ipc/run_streams.h"
