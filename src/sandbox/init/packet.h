// Packets with descriptors over init's control socket.
#ifndef CAISSON_SANDBOX_INIT_PACKET_H_
#define CAISSON_SANDBOX_INIT_PACKET_H_

#include <stddef.h>

namespace caisson::init {

// Sends one packet with `count` descriptors. The kernel's result.
long SendPacket(int socket, const void* bytes, size_t size, const int* fds, size_t count);

// Receives one packet and at most one descriptor (close-on-exec), -1 if none came. The kernel's result; 0 is
// the end.
long ReceivePacket(int socket, void* bytes, size_t size, int& fd);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_PACKET_H_
