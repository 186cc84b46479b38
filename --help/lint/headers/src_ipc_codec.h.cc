#include "ipc/codec.h"
#include "ipc/codec.h"
