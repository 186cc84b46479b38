// Sealed memory files: how bytes cross a boundary without anybody being able to change them afterwards.
#ifndef CAISSON_COMMON_MEMFD_H_
#define CAISSON_COMMON_MEMFD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson {

enum class MemfdKind { kData, kExecutable };

// A memfd with `bytes`, sealed against write, grow, shrink and further seals (memfd_create(2), Linux 3.17;
// MFD_EXEC/MFD_NOEXEC_SEAL where the kernel has them, 6.3). `name` shows up in /proc only.
absl::StatusOr<UniqueFd> MakeSealedMemfd(const std::string& name, std::span<const std::byte> bytes,
                                         MemfdKind kind);

// OK if `fd` is a memfd with at least the seals write, grow, shrink and seal, its size is 1..max_bytes, and
// it holds hardly more memory than that. None of this can change afterwards. This is the check of a hostile
// descriptor: a pipe, a directory, an unsealed or huge file are refused.
absl::Status CheckSealedMemfd(int fd, uint64_t max_bytes);

}  // namespace caisson

#endif  // CAISSON_COMMON_MEMFD_H_
