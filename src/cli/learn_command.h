// `caisson profile learn`: a profile with the least filter that programs one trusts need. The server must be
// one whose operator lets the profile learn; results of `caisson run --json` on it can be merged in.
#ifndef CAISSON_CLI_LEARN_COMMAND_H_
#define CAISSON_CLI_LEARN_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "cli/new_profile.h"
#include "cli/run_request.h"
#include "cli/server.h"
#include "policy/learning.h"

namespace caisson::cli {

struct LearnOptions {
  NewProfileOptions profile;
  RunOptions run;                    // of the program; its main_file empty: nothing is run
  std::vector<std::string> results;  // files that `caisson run --json` has written
};

// The exit code: 0 once the profile is written. The program's streams are passed through; what was learned is
// told on standard error.
int LearnCommand(const LearnOptions& options, const Server& server);

// A result as `caisson run --json` prints it. kInvalidArgument for anything else.
absl::StatusOr<v1::RunResult> ParseRunResult(const std::string& json);

// What `program` did in a step. kFailedPrecondition where the result shows less than the whole program: of a
// run that did not learn, did not end by itself, or called more than the result lists.
absl::StatusOr<std::vector<policy::Observation>> ObservationsOf(const v1::RunResult& result,
                                                                const std::string& step,
                                                                const std::string& program);

// "+ CALL" for what only `learned` allows, "- CALL" for what only `current` does; one line each.
std::string FilterDifference(const policy::SyscallFilter& current, const policy::SyscallFilter& learned);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_LEARN_COMMAND_H_
