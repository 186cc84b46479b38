// Runs in caisson-init. The peer is caissond.
#include "sandbox/init/packet.h"

#include <linux/socket.h>
#include <linux/uio.h>

#include "sandbox/init/syscall.h"

namespace caisson::init {
namespace {

// As in <sys/socket.h>, which a freestanding program does not have (unix(7), cmsg(3)).
struct MessageHeader {
  void* name;
  unsigned name_bytes;
  iovec* vectors;
  size_t vector_count;
  void* control;
  size_t control_bytes;
  unsigned flags;
};

struct ControlHeader {
  size_t bytes;
  int level;
  int type;
};

constexpr int kSolSocket = 1;
constexpr int kScmRights = 1;
constexpr long kNoSignal = 0x4000;         // MSG_NOSIGNAL
constexpr long kCmsgCloexec = 0x40000000;  // MSG_CMSG_CLOEXEC
constexpr size_t kMaxFds = 5;

struct Control {
  ControlHeader header;
  int fds[kMaxFds];
};

}  // namespace

long SendPacket(int socket, const void* bytes, size_t size, const int* fds, size_t count) {
  if (count > kMaxFds) {
    return -22;  // EINVAL
  }
  Control control{};
  control.header = {sizeof(ControlHeader) + count * sizeof(int), kSolSocket, kScmRights};
  for (size_t i = 0; i < count; ++i) {
    control.fds[i] = fds[i];
  }
  iovec vector{const_cast<void*>(bytes), size};  // SAFETY: sendmsg only reads.
  const MessageHeader message{
      nullptr,
      0,
      &vector,
      1,
      count == 0 ? nullptr : &control,
      count == 0 ? 0 : sizeof(ControlHeader) + ((count * sizeof(int) + 7) & ~size_t{7}),
      0};
  return Syscall(__NR_sendmsg, socket, Address(&message), kNoSignal);
}

long ReceivePacket(int socket, void* bytes, size_t size, int& fd) {
  Control control{};
  iovec vector{bytes, size};
  const MessageHeader message{nullptr, 0, &vector, 1, &control, sizeof(ControlHeader) + 8, 0};
  const long result = Syscall(__NR_recvmsg, socket, Address(&message), kCmsgCloexec);
  fd = -1;
  if (result > 0 && message.control_bytes >= sizeof(ControlHeader) + sizeof(int) &&
      control.header.level == kSolSocket && control.header.type == kScmRights) {
    fd = control.fds[0];
  }
  return result;
}

}  // namespace caisson::init
