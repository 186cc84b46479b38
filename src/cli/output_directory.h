// Where `caisson run` puts the files a run sends back. The paths were chosen by a hostile program: nothing is
// ever written outside the directory, no link is followed, and nothing is overwritten unless the user said
// so. Which pieces may come, and in which order, is held before them: event_check.h.
#ifndef CAISSON_CLI_OUTPUT_DIRECTORY_H_
#define CAISSON_CLI_OUTPUT_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "cli/unfinished_file.h"
#include "common/unique_fd.h"

namespace caisson::cli {

// Each file is written under a name of its own beside its place and renamed when it is complete, so that a
// file that was cut off leaves nothing behind. Not thread-safe.
class OutputDirectory {
 public:
  enum class Existing : bool { kKeep, kReplace };

  // Makes `path` if it is missing (its parent must exist). kInvalidArgument when it cannot be used.
  static absl::StatusOr<OutputDirectory> Open(const std::string& path, Existing existing);
  OutputDirectory(OutputDirectory&&) = default;
  OutputDirectory& operator=(OutputDirectory&&) = delete;
  // Removes a file that is not complete.
  ~OutputDirectory();

  // The next piece. After a failure the rest of that file is skipped, and the next file is tried again.
  absl::Status Accept(const v1::OutputFile& piece);
  // Removes a file that is not complete. Its rest must not come any more.
  void DropIncomplete();

 private:
  OutputDirectory(std::string path, UniqueFd directory, Existing existing)
      : path_(std::move(path)), directory_(std::move(directory)), existing_(existing) {}
  absl::Status Begin(const v1::OutputFile& piece);
  absl::Status Write(std::string_view data);
  absl::Status Complete();
  absl::Status Failed(int error, const std::string& what) const;

  std::string path_;
  UniqueFd directory_;
  Existing existing_;
  std::string current_;  // the file in work, relative; empty: none
  bool skipping_ = false;
  std::string name_;                      // last component of current_
  std::unique_ptr<UnfinishedFile> file_;  // until it is complete
  uint64_t left_bytes_ = 0;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_OUTPUT_DIRECTORY_H_
