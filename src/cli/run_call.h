// One run as the command line sees it: sends the request, passes the program's output through or gathers it,
// keeps the files it returns, and says at the end what to exit with.
#ifndef CAISSON_CLI_RUN_CALL_H_
#define CAISSON_CLI_RUN_CALL_H_

#include <grpcpp/client_context.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "cli/client.h"
#include "cli/event_check.h"
#include "cli/input_forwarder.h"
#include "cli/output_directory.h"
#include "cli/run_request.h"
#include "cli/status_line.h"

namespace caisson::cli {

// Interrupt() may come from another thread at any time; everything else is the main thread's.
class RunCall {
 public:
  // `outputs`: where returned files go; null: nowhere, or into the JSON object.
  RunCall(Client& client, const RunOptions& options, OutputDirectory* outputs)
      : client_(client), options_(options), outputs_(outputs) {}

  // Ends the run: by name once it has one, so that its result still arrives.
  void Interrupt();
  // Both return the exit code; one of them, once.
  int Execute(const v1::ExecuteRequest& request);
  // Files of `open.request` that do not fit into one message are sent in chunks.
  int Interact(v1::InteractRequest::Open open, InputForwarder& input);
  // After either: an empty one where none came.
  const v1::RunResult& result() const { return result_; }

 private:
  void SetDeadline();
  void Expect(const v1::ExecuteRequest& request);
  void Handle(v1::RunEvent& event);
  // An event that has no place ends the call: nothing of it is shown or kept.
  bool IsInPlace(const v1::RunEvent& event);
  void HandleOutput(const v1::Output& output);
  void HandleOutputFile(const v1::OutputFile& piece);
  absl::StatusOr<std::string> Json() const;
  int Conclude(const grpc::Status& status);
  int ConcludeWithResult();
  // Says which returned files came only in part; nothing of them is left when it returns.
  void DropIncompleteFiles();

  Client& client_;
  const RunOptions& options_;
  OutputDirectory* outputs_;
  grpc::ClientContext context_;
  std::optional<EventCheck> check_;  // once there is a request
  absl::Status violation_;           // what the server did that no server may, or that is too much for us
  std::mutex mutex_;
  std::string name_;          // guarded by mutex_
  bool interrupted_ = false;  // guarded by mutex_
  StatusLine waiting_;
  bool finished_ = false;
  bool reader_gone_ = false;  // of our own standard output
  int write_error_ = 0;
  v1::RunResult result_;
  std::string stdout_bytes_;  // with --json
  std::string stderr_bytes_;
  std::string compile_bytes_;                        // both streams of the compile step
  std::map<std::string, std::string> output_bytes_;  // by path
  std::vector<std::string> output_failures_;
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_RUN_CALL_H_
