// Checks of single fields, shared by the request and the reply side of the codec. Private to src/ipc.
#ifndef CAISSON_IPC_FIELD_CHECKS_H_
#define CAISSON_IPC_FIELD_CHECKS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "ipc/codec.h"
#include "ipc/messages.h"

namespace caisson::ipc {

// Remembers the first field that is wrong; later checks are then without effect, so a decoder reads as a
// list.
class FieldChecks {
 public:
  explicit FieldChecks(MessageType type) : type_(type) {}

  void Require(bool condition, std::string_view field, std::string_view reason) {
    if (status_.ok() && !condition) {
      status_ = absl::InvalidArgumentError("decode " + std::string(MessageName(type_)) + ": " +
                                           std::string(field) + " " + std::string(reason));
    }
  }

  // Enumerators of the protocol are numbered without a gap from `first` to `last`.
  template <class E>
  void Enum(E value, E first, E last, std::string_view field) {
    static_assert(std::is_enum_v<E>);
    Require(value >= first && value <= last, field, "is out of range");
  }

  void Flag(uint32_t value, std::string_view field) { Require(value <= 1, field, "is neither 0 nor 1"); }
  void Zero(uint64_t value, std::string_view field) { Require(value == 0, field, "is not 0"); }
  void NotZero(uint64_t value, std::string_view field) { Require(value != 0, field, "is 0"); }
  void Bits(uint32_t value, uint32_t known, std::string_view field) {
    Require((value & ~known) == 0, field, "has unknown bits");
  }

  absl::Status status() const { return status_; }

 private:
  MessageType type_;
  absl::Status status_;
};

// The name of a profile or a tenant: a lower-case letter, then lower-case letters, digits and '-'.
template <size_t N>
bool IsName(const std::array<char, N>& field) {
  const std::string_view name = Text(field);
  if (name.empty() || name.size() == field.size() || name.front() < 'a' || name.front() > 'z') {
    return false;
  }
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  // Nothing may hide behind the terminator.
  return characters && std::all_of(field.begin() + static_cast<std::ptrdiff_t>(name.size()), field.end(),
                                   [](char c) { return c == '\0'; });
}

// Reads the header of a packet. The bytes need not be aligned.
inline absl::Status ReadHeader(std::span<const std::byte> bytes, Header& header) {
  if (bytes.size() < sizeof header) {
    return absl::InvalidArgumentError("decode message: shorter than a header");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  FieldChecks checks(header.type);
  checks.Require(header.magic == kMagic, "magic", "is wrong");
  checks.Require(header.version == kVersion, "version", "is not ours");
  checks.Require(header.length == bytes.size(), "length", "is not the packet's");
  checks.Zero(header.reserved, "reserved");
  return checks.status();
}

// Copies the packet into a struct if it has exactly its size and its number of descriptors.
template <class M>
absl::Status ReadMessage(std::span<const std::byte> bytes, size_t fd_count, size_t expected_fds, M& message) {
  FieldChecks checks(MessageTraits<M>::kType);
  checks.Require(bytes.size() == sizeof message, "length", "is not that of its type");
  checks.Require(fd_count == expected_fds, "descriptor count", "is not that of its type");
  if (checks.status().ok()) {
    std::memcpy(&message, bytes.data(), sizeof message);
  }
  return checks.status();
}

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_FIELD_CHECKS_H_
