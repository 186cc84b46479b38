#include "dispatcher/scheduling/host_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr std::string_view kKey = "MemAvailable:";
constexpr uint64_t kKiB = 1024;
// To read it costs as much as a hundredth of a run; it does not change faster than runs come and go.
constexpr int64_t kFreshNs = 5 * kNanosPerMilli;

}  // namespace

uint64_t ParseMemAvailable(std::string_view text) {
  const size_t at = text.find(kKey);
  if (at == std::string_view::npos) {
    return 0;
  }
  text.remove_prefix(at + kKey.size());
  const size_t digit = text.find_first_not_of(' ');
  if (digit == std::string_view::npos) {
    return 0;
  }
  text.remove_prefix(digit);
  uint64_t kib = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), kib);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc() && text.substr(0, 3) == " kB" ? kib * kKiB : 0;
}

absl::StatusOr<HostMemory> HostMemory::Open() {
  ASSIGN_OR_RETURN(UniqueFd file, OpenFile("/proc/meminfo", O_RDONLY));
  HostMemory memory(std::move(file));
  if (memory.AvailableBytes(MonotonicNanos()) == 0) {
    return absl::FailedPreconditionError("read /proc/meminfo: it has no MemAvailable");
  }
  return memory;
}

uint64_t HostMemory::AvailableBytes(int64_t now_ns) {
  if (read_ns_ == 0 || now_ns - read_ns_ > kFreshNs) {
    std::array<char, 1024> text{};
    const ssize_t count = pread(file_.get(), text.data(), text.size(), 0);
    bytes_ = count > 0 ? ParseMemAvailable({text.data(), static_cast<size_t>(count)}) : 0;
    read_ns_ = now_ns;
  }
  return bytes_;
}

}  // namespace caisson::dispatcher
