// Runs another program to its end, with nothing of this one's environment but what is asked for.
#ifndef CAISSON_CLI_CHILD_PROGRAM_H_
#define CAISSON_CLI_CHILD_PROGRAM_H_

#include <csignal>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace caisson::cli {

enum class ChildOutput : uint8_t { kStandardOutput, kStandardError, kNowhere };

struct ChildProgram {
  std::vector<std::string> command;      // the first word is an absolute path
  std::vector<std::string> environment;  // NAME=value, beside PATH and DEBIAN_FRONTEND=noninteractive
  std::string root;                      // change the root directory to this first; empty: stay
  bool private_mounts = false;           // what it mounts is gone when it ends, whatever ends it
  ChildOutput output_to = ChildOutput::kStandardOutput;
  std::string* output = nullptr;  // its standard output goes here instead, at most 64 MiB
};

// The exit code; 125, with a line on standard error, if it could not be started. kCancelled if a SIGINT,
// SIGTERM or SIGHUP came meanwhile, which was passed on to it; another error if a signal ended it otherwise.
absl::StatusOr<int> RunToItsEnd(const ChildProgram& program);

// Holds SIGINT, SIGTERM and SIGHUP back for as long as it lives, so that what has to be tidied up is.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  const sigset_t& set() const { return set_; }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_CHILD_PROGRAM_H_
