// How much memory the host has left, as the kernel estimates it: MemAvailable of /proc/meminfo, through a
// descriptor opened before the lockdown, which lets no file be opened any more. On the I/O thread.
#ifndef CAISSON_DISPATCHER_SCHEDULING_HOST_MEMORY_H_
#define CAISSON_DISPATCHER_SCHEDULING_HOST_MEMORY_H_

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::dispatcher {

class HostMemory {
 public:
  static absl::StatusOr<HostMemory> Open();

  // Not older than a few milliseconds. 0 if the kernel does not tell, so that nothing is promised then.
  uint64_t AvailableBytes(int64_t now_ns);

 private:
  explicit HostMemory(UniqueFd file) : file_(std::move(file)) {}

  UniqueFd file_;
  int64_t read_ns_ = 0;
  uint64_t bytes_ = 0;
};

// From the text of /proc/meminfo; 0 if it is not in there.
uint64_t ParseMemAvailable(std::string_view text);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SCHEDULING_HOST_MEMORY_H_
