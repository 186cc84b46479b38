// What is measured: one program twice, as a request to Caisson and as a bare command.
#ifndef CAISSON_BENCH_WORK_H_
#define CAISSON_BENCH_WORK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/bare_process.h"
#include "bench/execute_client.h"
#include "caisson/v1/run.pb.h"

namespace caisson::bench {

struct Work {
  std::string name;
  v1::ExecuteRequest request;
  BareCommand command;
  std::string expected_stdout;  // of both; what differs from it was not the same work
};

// A directory below the system's temporary one, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  static absl::StatusOr<TemporaryDirectory> Make();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// A request for the host's ELF file `path`, sent along and run by the profile native.
absl::StatusOr<v1::ExecuteRequest> NativeRequest(const std::string& path);

// `true` through native and a hello through python. The bare commands' files are put below `directory`; their
// environment is the one that a program in the sandbox sees, asked from the server by running one that prints
// it.
absl::StatusOr<std::vector<Work>> MakeWorks(ExecuteClient& client, const std::string& directory);

// Each side once; an error unless the program did what it should.
absl::StatusOr<CallOutcome> RunCall(ExecuteClient& client, const Work& work);
absl::StatusOr<BareOutcome> RunCommand(const Work& work);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_WORK_H_
