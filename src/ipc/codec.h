// The shape of the boundary's messages: bytes to checked structs, and back.
// caissond (root) runs DecodeRequest on bytes of a dispatcher that may be under an attacker's control; the
// dispatcher runs DecodeReply on bytes of caissond, which it trusts, so that a bug of ours ends in a message
// and not in nonsense. Fuzzed by tests/fuzz/ipc_request_fuzz.cc and tests/fuzz/ipc_reply_fuzz.cc.
#ifndef CAISSON_IPC_CODEC_H_
#define CAISSON_IPC_CODEC_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>

#include "absl/status/statusor.h"
#include "ipc/messages.h"

namespace caisson::ipc {

using Request = std::variant<Prepare, Start, Cancel, Signal, Serving, Reload>;
using Reply = std::variant<Hello, Prepared, PrepareFailed, Started, StartRefused, Finished, Drain, Listener,
                           Policy, Reloaded>;

// Checks length, header, reserved fields, ranges of all enums, names, and the number of descriptors that came
// along. Whether the profile exists and a limit is under its ceiling is the caller's to decide.
// kInvalidArgument naming the message and the field; the caller then ends the session.
absl::StatusOr<Request> DecodeRequest(std::span<const std::byte> bytes, size_t fd_count);

// As above, for what the dispatcher receives.
absl::StatusOr<Reply> DecodeReply(std::span<const std::byte> bytes, size_t fd_count);

// "PREPARE" and so on; "unknown" for any other number. For logs and error messages.
std::string_view MessageName(MessageType type);

template <class M>
struct MessageTraits;
#define CAISSON_IPC_MESSAGE(message)                              \
  template <>                                                     \
  struct MessageTraits<message> {                                 \
    static constexpr MessageType kType = MessageType::k##message; \
  }
CAISSON_IPC_MESSAGE(Prepare);
CAISSON_IPC_MESSAGE(Start);
CAISSON_IPC_MESSAGE(Cancel);
CAISSON_IPC_MESSAGE(Signal);
CAISSON_IPC_MESSAGE(Serving);
CAISSON_IPC_MESSAGE(Reload);
CAISSON_IPC_MESSAGE(Hello);
CAISSON_IPC_MESSAGE(Prepared);
CAISSON_IPC_MESSAGE(PrepareFailed);
CAISSON_IPC_MESSAGE(Started);
CAISSON_IPC_MESSAGE(StartRefused);
CAISSON_IPC_MESSAGE(Finished);
CAISSON_IPC_MESSAGE(Drain);
CAISSON_IPC_MESSAGE(Listener);
CAISSON_IPC_MESSAGE(Policy);
CAISSON_IPC_MESSAGE(Reloaded);
#undef CAISSON_IPC_MESSAGE

// A message of all zeros with its header filled in.
template <class M>
constexpr M Make() {
  // Padding would carry bytes of the sender's stack across the boundary.
  static_assert(std::has_unique_object_representations_v<M> && std::is_trivially_copyable_v<M>);
  M message{};
  message.header.magic = kMagic;
  message.header.version = kVersion;
  message.header.type = MessageTraits<M>::kType;
  message.header.length = sizeof(M);
  return message;
}

// The bytes to send. `message` must outlive the span.
template <class M>
std::span<const std::byte> AsBytes(const M& message) {
  static_assert(std::has_unique_object_representations_v<M> && MessageTraits<M>::kType != MessageType{});
  return std::as_bytes(std::span<const M, 1>(&message, 1));
}

// The text in a fixed field, up to its first NUL.
template <size_t N>
std::string_view Text(const std::array<char, N>& field) {
  return {field.data(), static_cast<size_t>(std::find(field.begin(), field.end(), '\0') - field.begin())};
}

// Puts `text` into `field`, NUL-padded; what does not fit is cut. Returns whether all of it fitted.
template <size_t N>
[[nodiscard]] bool SetText(std::array<char, N>& field, std::string_view text) {
  field.fill('\0');
  std::copy_n(text.data(), std::min(text.size(), N - 1), field.begin());
  return text.size() < N;
}

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_CODEC_H_
