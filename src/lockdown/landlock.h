// Landlock for a process of ours: after this it, whoever controls it, touches no file but those of the given
// directories, binds and connects nowhere by TCP, and signals nobody outside. Runs in the dispatcher, the
// gateway and its connector.
#ifndef CAISSON_LOCKDOWN_LANDLOCK_H_
#define CAISSON_LOCKDOWN_LANDLOCK_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"

namespace caisson::lockdown {

// Rights of linux/landlock.h, which is as old as the distribution.
inline constexpr uint64_t kFsWriteFile = 1ULL << 1U;
inline constexpr uint64_t kFsReadFile = 1ULL << 2U;
inline constexpr uint64_t kFsReadDirectory = 1ULL << 3U;
inline constexpr uint64_t kFsRemoveFile = 1ULL << 5U;
inline constexpr uint64_t kFsMakeDirectory = 1ULL << 7U;
inline constexpr uint64_t kFsMakeRegular = 1ULL << 8U;
inline constexpr uint64_t kFsMakeSock = 1ULL << 9U;
inline constexpr uint64_t kFsTruncate = 1ULL << 14U;  // ABI 3

struct AllowedDirectory {
  int directory;     // open
  std::string name;  // for messages
  uint64_t rights;   // of those above; what the kernel's ABI does not know is left out
};

// Handles every right the kernel's ABI knows (of those this file knows, up to ABI 7), for this thread and all
// it will start. Needs no_new_privs. An error if the kernel has no Landlock.
absl::Status RestrictSelf(std::span<const AllowedDirectory> allowed);

}  // namespace caisson::lockdown

#endif  // CAISSON_LOCKDOWN_LANDLOCK_H_
