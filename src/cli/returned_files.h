// What a run's returned files must look like on their way: asked for, one after the other, piece by piece
// without gap or overlap, within the API's bounds. Pure; untrusted: every piece, which the server sent.
#ifndef CAISSON_CLI_RETURNED_FILES_H_
#define CAISSON_CLI_RETURNED_FILES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "caisson/v1/run.pb.h"

namespace caisson::cli {

// The API's bounds (docs/api.md): what comes beyond is no file of a run.
inline constexpr size_t kMaxReturnedFiles = 1024;
inline constexpr uint64_t kMaxReturnedBytes = 256ULL * 1024 * 1024;

class ReturnedFiles {
 public:
  struct Part {
    std::string path;
    uint64_t received_bytes = 0;
    uint64_t size_bytes = 0;
  };

  // `asked_for` as ExecuteRequest.output_paths.
  explicit ReturnedFiles(std::vector<std::string> asked_for) : asked_for_(std::move(asked_for)) {}

  // The next piece. kDataLoss, in words that continue "the server sent ...", for one that has no place;
  // nothing of it may be kept, and nothing more be asked.
  absl::Status Accept(const v1::OutputFile& piece);
  // What the result says about the files against what came: a listed file that did not come, or came in part
  // without a word about it, is kDataLoss.
  absl::Status CheckResult(const v1::RunResult& result) const;
  // Files of which only a part came, in the order of their paths. At most kMaxReturnedFiles.
  std::vector<Part> Incomplete() const;

 private:
  struct Progress {
    uint64_t received_bytes = 0;
    uint64_t size_bytes = 0;
    bool executable = false;
    bool empty_piece_came = false;
  };

  bool WasAskedFor(std::string_view path) const;
  absl::Status Begin(const v1::OutputFile& piece);

  std::vector<std::string> asked_for_;
  std::map<std::string, Progress> files_;
  std::string current_;  // the file whose pieces come; empty: none yet
  uint64_t total_bytes_ = 0;
};

// Whether `path` is relative, without empty, "." or ".." components, NUL or control characters.
bool IsSafeOutputPath(std::string_view path);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_RETURNED_FILES_H_
