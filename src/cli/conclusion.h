// How a command that has waited for a run ends: what it prints of the result, and its exit code.
#ifndef CAISSON_CLI_CONCLUSION_H_
#define CAISSON_CLI_CONCLUSION_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"

namespace caisson::cli {

// With `json` that goes to standard output, and the lines for people only where the service failed; otherwise
// those lines go to standard error. The exit code of the result, or kExitService for what cannot be printed.
int TellResult(const v1::RunResult& result, const std::optional<absl::StatusOr<std::string>>& json);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_CONCLUSION_H_
