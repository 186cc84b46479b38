// Fuzzes what the dispatcher decodes from caissond. The first byte is the number of descriptors, the rest the
// packet.
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "common/status.h"
#include "ipc/codec.h"

namespace caisson::ipc {
namespace {

void FuzzOne(std::span<const std::byte> input) {
  if (input.empty()) {
    return;
  }
  const auto fds = std::to_integer<size_t>(input.front());
  const std::span<const std::byte> packet = input.subspan(1);
  const absl::StatusOr<Reply> decoded = DecodeReply(packet, fds);
  if (!decoded.ok()) {
    CAISSON_CHECK(decoded.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  std::visit(
      [&](const auto& message) {
        using Message = std::decay_t<decltype(message)>;
        constexpr bool kOneFd = std::is_same_v<Message, Listener> || std::is_same_v<Message, Policy>;
        constexpr size_t kOtherFds = kOneFd ? 1 : 0;
        CAISSON_CHECK(fds == (std::is_same_v<Message, Prepared> ? kPreparedFds : kOtherFds));
        CAISSON_CHECK(AsBytes(message).size() == packet.size());
        CAISSON_CHECK(std::memcmp(&message, packet.data(), packet.size()) == 0);
      },
      *decoded);
  if (const auto* const failed = std::get_if<PrepareFailed>(&*decoded)) {
    CAISSON_CHECK(Text(failed->message).size() < failed->message.size());
  }
}

}  // namespace
}  // namespace caisson::ipc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::ipc::FuzzOne(std::as_bytes(std::span(data, size)));
  return 0;
}
