// The yardstick: the same program without Caisson. Runs as the benchmark's own user, trusts what it starts.
#ifndef CAISSON_BENCH_BARE_PROCESS_H_
#define CAISSON_BENCH_BARE_PROCESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace caisson::bench {

struct BareCommand {
  std::string executable;  // what is executed; argv[0] may differ
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // NAME=VALUE, the whole of it
  std::string directory;                 // the working directory
};

struct BareOutcome {
  int64_t total_ns = 0;  // before the pipes are made until after waitpid
  std::string stdout_text;
};

// kOwn: new mount, pid, network, ipc and uts namespaces, as a sandbox has; needs root.
enum class Namespaces : uint8_t { kOurs, kOwn };

// Runs the command to its end as the runner does: an empty pipe as its input, a pipe for each output stream,
// both read to their end, then waitpid. An error when it cannot be started or does not exit with 0. May be
// called from many threads.
absl::StatusOr<BareOutcome> RunBare(const BareCommand& command, Namespaces namespaces = Namespaces::kOurs);

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_BARE_PROCESS_H_
