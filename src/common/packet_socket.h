// AF_UNIX SOCK_SEQPACKET with descriptors: the only transport between Caisson's own processes.
#ifndef CAISSON_COMMON_PACKET_SOCKET_H_
#define CAISSON_COMMON_PACKET_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson {

inline constexpr size_t kMaxPacketBytes = 4096;
inline constexpr size_t kMaxPacketFds = 5;

struct Packet {
  std::vector<std::byte> bytes;
  std::vector<UniqueFd> fds;
  bool fds_cut = false;  // some, or all, were lost: there was no room for them in this process
};

// What becomes of a packet whose descriptors did not all arrive.
enum class CutFds : uint8_t { kRefuse, kTell };

// Both ends close-on-exec and non-blocking.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> MakePacketSocketPair();

// Sends one packet. kUnavailable when the socket's buffer is full; kAborted when the peer is gone.
absl::Status SendPacket(int socket, std::span<const std::byte> bytes, std::span<const int> fds = {});

// Receives one packet. kUnavailable when there is none; kAborted at end of file;
// kInvalidArgument when it was larger than kMaxPacketBytes or carried more than kMaxPacketFds descriptors
// (such packets are never delivered; their descriptors go into `rejected`, or are closed where that is null).
// With kTell a packet that lacks descriptors is delivered, and says so.
absl::StatusOr<Packet> ReceivePacket(int socket, std::vector<UniqueFd>* rejected = nullptr,
                                     CutFds cut = CutFds::kRefuse);

}  // namespace caisson

#endif  // CAISSON_COMMON_PACKET_SOCKET_H_
