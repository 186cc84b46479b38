// Builds the bundle of one run (ipc/run_streams.h) in a sealed memfd. Runs in the dispatcher, on a client's
// bytes.
#ifndef CAISSON_IPC_BUNDLE_WRITER_H_
#define CAISSON_IPC_BUNDLE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "ipc/run_streams.h"

namespace caisson::ipc {

enum class FileMode : uint32_t { kRegular = 0644, kExecutable = 0755 };

// Where the content of a file lies in the bundle.
struct BundleFile {
  std::string path;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  FileMode mode = FileMode::kRegular;
};

// Small pieces are gathered in a buffer, large content goes from the caller's memory straight into the memfd,
// so a request is never held twice. After any error the writer is spent: every later call, Seal included,
// returns it again. Not thread-safe.
class BundleWriter {
 public:
  static absl::StatusOr<BundleWriter> Create();

  // kInvalidArgument for text that an execve or a path cannot carry; kResourceExhausted beyond the bounds of
  // run_streams.h. Each path may be added once only, which the caller has checked.
  absl::Status AddMainFile(std::string_view path);
  absl::Status AddArgument(std::string_view argument);
  absl::Status AddEnvironment(std::string_view name, std::string_view value);
  absl::Status AddFile(std::string_view path, std::string_view content, FileMode mode);
  // A file whose content comes in pieces: nothing else may be added between the two.
  absl::Status BeginFile(std::string_view path);
  absl::Status AppendToFile(std::string_view content);
  absl::Status EndFile(FileMode mode);
  absl::Status AddSource(std::string_view path);
  // "." or a path.
  absl::Status AddOutputPath(std::string_view path);

  // The complete files so far.
  const std::vector<BundleFile>& files() const { return files_; }

  // Completes the header and seals. The writer is spent afterwards.
  absl::StatusOr<UniqueFd> Seal();

 private:
  explicit BundleWriter(UniqueFd memfd) : memfd_(std::move(memfd)) {}
  absl::Status Remember(absl::Status status);
  absl::Status CheckRoom(uint64_t name_bytes, uint64_t data_bytes) const;
  absl::Status Add(wire::BundleRecord type, uint32_t mode, std::string_view name_first,
                   std::string_view name_rest, std::string_view data);
  void Buffer(std::span<const std::byte> bytes);
  absl::Status Flush(std::string_view content);

  absl::Status WriteAt(uint64_t offset, std::span<const std::byte> bytes);

  UniqueFd memfd_;
  absl::Status failure_;
  std::vector<std::byte> buffer_;
  uint64_t total_bytes_ = sizeof(wire::BundleHeader);  // written and buffered
  uint32_t records_ = 0;
  uint32_t main_files_ = 0;
  uint32_t arguments_ = 0;
  uint32_t variables_ = 0;
  uint32_t output_paths_ = 0;
  std::vector<BundleFile> files_;
  bool in_file_ = false;
  uint64_t file_header_offset_ = 0;
  BundleFile file_;  // while in_file_
};

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_BUNDLE_WRITER_H_
