// JSON for programs: protobuf's JSON mapping with proto field names. Untrusted: the messages, a server's
// word.
#ifndef CAISSON_CLI_JSON_OUTPUT_H_
#define CAISSON_CLI_JSON_OUTPUT_H_

#include <google/protobuf/message.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"

namespace caisson::cli {

// One line without the newline. kInternal when the message has no form in JSON: a time out of range.
absl::StatusOr<std::string> MessageJson(const google::protobuf::Message& message);

// Prints it on standard output, or on standard error why it cannot be; returns the exit code.
int PrintJson(const google::protobuf::Message& message);

// The RunResult with three differences, docs/api.md tells them: `stdout` and `stderr` are what the program
// wrote, as text (invalid UTF-8 replaced by U+FFFD); the StreamCounts of those names are `stdout_count` and
// `stderr_count`; each element of `outputs` has its `content` in base64. `stdout_bytes` and `stderr_bytes`
// are the streams' bytes, `output_bytes` the returned files' by path. Fails as MessageJson does.
absl::StatusOr<std::string> RunResultJson(const v1::RunResult& result, const std::string& stdout_bytes,
                                          const std::string& stderr_bytes,
                                          const std::map<std::string, std::string>& output_bytes);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_JSON_OUTPUT_H_
