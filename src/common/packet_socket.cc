#include "common/packet_socket.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstring>

#include "common/status.h"

namespace caisson {
namespace {

constexpr size_t kControlBytes = CMSG_SPACE(sizeof(int) * kMaxPacketFds);
// As many as one packet can carry (unix(7), SCM_RIGHTS), so that the kernel has none left over to close for
// us.
constexpr size_t kReceivedControlBytes = CMSG_SPACE(sizeof(int) * 253);

std::vector<UniqueFd> TakeFds(msghdr& message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

absl::StatusOr<std::pair<UniqueFd, UniqueFd>> MakePacketSocketPair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return ErrnoStatus(errno, "socketpair");
  }
  return std::make_pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

absl::Status SendPacket(int socket, std::span<const std::byte> bytes, std::span<const int> fds) {
  CAISSON_CHECK(bytes.size() <= kMaxPacketBytes && fds.size() <= kMaxPacketFds);
  // SAFETY: sendmsg(2) only reads through iov_base.
  iovec vector{const_cast<std::byte*>(bytes.data()),
               bytes.size()};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  for (;;) {
    if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
      return absl::OkStatus();
    }
    if (errno == EINTR) {
      continue;
    }
    if (errno == EAGAIN) {
      return absl::UnavailableError("sendmsg: the peer's queue is full");
    }
    if (errno == EPIPE || errno == ECONNRESET) {
      return absl::AbortedError("sendmsg: the peer is gone");
    }
    return ErrnoStatus(errno, "sendmsg");
  }
}

absl::StatusOr<Packet> ReceivePacket(int socket, std::vector<UniqueFd>* rejected, CutFds cut) {
  Packet packet;
  packet.bytes.resize(kMaxPacketBytes);
  iovec vector{packet.bytes.data(), packet.bytes.size()};
  alignas(cmsghdr) std::array<char, kReceivedControlBytes> control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t received = -1;
  do {
    received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) {
    if (errno == EAGAIN) {
      return absl::UnavailableError("recvmsg: nothing to read");
    }
    if (errno == ECONNRESET) {
      return absl::AbortedError("recvmsg: the peer is gone");
    }
    return ErrnoStatus(errno, "recvmsg");
  }
  packet.fds = TakeFds(message);
  packet.fds_cut = (message.msg_flags & MSG_CTRUNC) != 0;
  if ((message.msg_flags & MSG_TRUNC) != 0 || (packet.fds_cut && cut == CutFds::kRefuse) ||
      packet.fds.size() > kMaxPacketFds) {
    if (rejected != nullptr) {
      *rejected = std::move(packet.fds);
    }
    return absl::InvalidArgumentError("recvmsg: the packet is larger than the protocol allows");
  }
  if (received == 0 && packet.fds.empty()) {
    return absl::AbortedError("recvmsg: the peer is gone");
  }
  packet.bytes.resize(static_cast<size_t>(received));
  return packet;
}

}  // namespace caisson
