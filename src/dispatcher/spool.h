// The stored output of runs: plain files in one directory, of each run one for each stream, one for its other
// events and one for the files that came back. What a run may write is taken from the disk before the run
// exists (fallocate), so a disk that fills up later takes nothing from it. Runs in caisson-dispatcher on the
// record thread; the bytes are a payload's and never looked at. Names are made of a run's random id alone.
#ifndef CAISSON_DISPATCHER_SPOOL_H_
#define CAISSON_DISPATCHER_SPOOL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "dispatcher/run_name.h"

namespace caisson::dispatcher {

enum class SpoolPart : uint8_t {
  kEvents = 0,  // everything but output and files, as frames (spool_format.h)
  kCompileStdout = 1,
  kCompileStderr = 2,
  kStdout = 3,
  kStderr = 4,
  kFiles = 5,  // pieces of files that came back, as frames
};
inline constexpr size_t kSpoolParts = 6;

// By SpoolPart.
using SpoolSizes = std::array<uint64_t, kSpoolParts>;

class Spool {
 public:
  // `directory` is open for reading and stays open; every file lies directly in it.
  explicit Spool(UniqueFd directory) : directory_(std::move(directory)) {}

  // Makes the parts for which `room` is not 0 and takes that much of the disk for each. kResourceExhausted
  // where there is not as much, and then nothing is left of it. Again for the same run: no harm.
  absl::Status Create(const RunId& run, const SpoolSizes& room);
  // Writes all of `bytes` at `offset`; again, no harm.
  absl::Status Write(const RunId& run, SpoolPart part, uint64_t offset, std::string_view bytes);
  // At most `most` bytes from `offset` on; fewer, or none, at the end. kNotFound if there is no such part.
  absl::StatusOr<std::string> Read(const RunId& run, SpoolPart part, uint64_t offset, size_t most) const;
  // A part that is not there has size 0. kNotFound if none is.
  absl::StatusOr<SpoolSizes> Sizes(const RunId& run) const;
  // Gives back the room that was not written to.
  absl::Status Settle(const RunId& run);
  void Remove(const RunId& run);

  // Of every run that has a part. Reads the directory, which the lockdown forbids: for the start alone.
  absl::StatusOr<std::vector<RunId>> Runs() const;

  int directory_fd() const { return directory_.get(); }

 private:
  absl::Status CreatePart(const std::string& name, uint64_t room);

  UniqueFd directory_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SPOOL_H_
