// Fuzzes what caissond (root) decodes from a hostile dispatcher. The first byte is the number of descriptors,
// the rest the packet. Whatever is accepted must hold what the callers rely on.
#include <cstdint>
#include <cstring>
#include <span>

#include "common/status.h"
#include "ipc/codec.h"

namespace caisson::ipc {
namespace {

void CheckAccepted(const Prepare& message, size_t fds) {
  CAISSON_CHECK(fds == 0 && message.sandbox != 0 && message.tty <= 1);
  CAISSON_CHECK(message.disk_bytes != 0 && message.inode_count != 0);
  CAISSON_CHECK(message.step == Step::kCompile || message.step == Step::kRun);
  CAISSON_CHECK(message.profile.back() == '\0' && message.profile.front() != '\0');
  CAISSON_CHECK(Text(message.profile).find('/') == std::string_view::npos);
}

void CheckAccepted(const Start& message, size_t fds) {
  CAISSON_CHECK(fds == 1 && message.sandbox != 0);
  CAISSON_CHECK(message.limits.memory_bytes != 0 && message.limits.cpu_millis != 0);
}

void CheckAccepted(const Cancel& message, size_t fds) {
  CAISSON_CHECK(fds == 0 && message.sandbox != 0);
  CAISSON_CHECK(message.reason >= CancelReason::kClient && message.reason <= CancelReason::kShutdown);
}

void CheckAccepted(const Signal& message, size_t fds) {
  CAISSON_CHECK(fds == 0 && message.sandbox != 0 && IsForwardableSignal(message.signal_number));
}

void CheckAccepted(const Serving& message, size_t fds) {
  CAISSON_CHECK(fds == 0 && message.header.type == MessageType::kServing);
}

void CheckAccepted(const Reload& message, size_t fds) {
  CAISSON_CHECK(fds == 0 && message.header.type == MessageType::kReload);
}

void FuzzOne(std::span<const std::byte> input) {
  if (input.empty()) {
    return;
  }
  const auto fds = std::to_integer<size_t>(input.front());
  const std::span<const std::byte> packet = input.subspan(1);
  const absl::StatusOr<Request> decoded = DecodeRequest(packet, fds);
  if (!decoded.ok()) {
    CAISSON_CHECK(decoded.status().code() == absl::StatusCode::kInvalidArgument);
    CAISSON_CHECK(!decoded.status().message().empty());
    return;
  }
  std::visit(
      [&](const auto& message) {
        CheckAccepted(message, fds);
        CAISSON_CHECK(AsBytes(message).size() == packet.size());
        CAISSON_CHECK(std::memcmp(&message, packet.data(), packet.size()) == 0);
      },
      *decoded);
}

}  // namespace
}  // namespace caisson::ipc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::ipc::FuzzOne(std::as_bytes(std::span(data, size)));
  return 0;
}
