#include "common/packet_socket.h"
#include "common/packet_socket.h"
