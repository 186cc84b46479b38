#include "sandbox/init/packet.h"
#include "sandbox/init/packet.h"
