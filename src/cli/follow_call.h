// One run followed to its end: each call goes on where the one before it was cut off. A server that leaves a
// gap, or sends a byte twice, is believed nothing.
#ifndef CAISSON_CLI_FOLLOW_CALL_H_
#define CAISSON_CLI_FOLLOW_CALL_H_

#include <grpcpp/client_context.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "cli/client.h"
#include "cli/follow_command.h"
#include "cli/output_directory.h"
#include "cli/returned_files.h"

namespace caisson::cli {

// Interrupt() may come from another thread at any time; everything else is the main thread's.
class FollowCall {
 public:
  // `outputs`: where returned files go; null: nowhere.
  FollowCall(Client& client, const FollowOptions& options, OutputDirectory* outputs);

  // Ends the following, not the run.
  void Interrupt();
  // The exit code. Once.
  int Follow();

 private:
  using StreamId = std::pair<std::string, v1::Stream>;  // step, stream

  v1::FollowRunRequest Request() const;
  // One call; its end.
  grpc::Status FollowOnce();
  absl::Status Handle(v1::RunEvent& event);
  absl::Status HandleOutput(const v1::Output& output);
  absl::Status HandleFile(const v1::OutputFile& piece);
  void TellLost(const grpc::Status& status);
  int Conclude(const grpc::Status& status);
  absl::StatusOr<std::string> Json();
  int ConcludeWithResult();

  Client& client_;
  const FollowOptions& options_;
  OutputDirectory* outputs_;
  std::mutex mutex_;
  std::shared_ptr<grpc::ClientContext> context_;  // guarded by mutex_
  bool interrupted_ = false;                      // guarded by mutex_
  std::map<StreamId, uint64_t> received_;         // the offset of the next byte
  uint64_t sequence_ = 0;                         // of the current call
  std::optional<ReturnedFiles> files_;            // of the current call
  std::set<std::string> complete_files_;
  std::map<std::string, uint64_t> file_bytes_;  // of the current call
  absl::Status violation_;
  int write_error_ = 0;
  bool heard_ = false;     // some call delivered an event
  bool progress_ = false;  // the current call delivered something
  std::optional<v1::RunResult> result_;
  std::map<std::string, std::string> gathered_;  // with --json: "stdout", "stderr", "compile"
  std::string failure_;                          // of a returned file; the first
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_FOLLOW_CALL_H_
