// A refused system call in words: what was asked for, and what a caller can do about it. Pure tables over
// numbers that a hostile payload chose: whatever they are, the texts are short and of our own making.
#ifndef CAISSON_DISPATCHER_DENIAL_TEXT_H_
#define CAISSON_DISPATCHER_DENIAL_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace caisson::dispatcher {

inline constexpr size_t kSyscallArguments = 6;
inline constexpr size_t kMaxDecodedBytes = 256;  // of one decoded argument

struct DenialText {
  // The scalar arguments that tell what was wanted, in the call's order: {"AF_INET",
  // "SOCK_STREAM|SOCK_CLOEXEC"}. Empty for calls whose arguments say nothing.
  std::vector<std::string> arguments;
  // One or two sentences for people. Never empty.
  std::string explanation;
};

// `number` as in wire::Event; -1 is the sum of all others.
DenialText DescribeDenial(int number, std::span<const uint64_t, kSyscallArguments> args);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_DENIAL_TEXT_H_
