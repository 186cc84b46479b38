// One warm gRPC client: one channel, one stub, shared by as many threads as want it. Trusts the server it
// measures.
#ifndef CAISSON_BENCH_EXECUTE_CLIENT_H_
#define CAISSON_BENCH_EXECUTE_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "caisson/v1/run.grpc.pb.h"

namespace caisson::bench {

struct CallOutcome {
  int64_t total_ns = 0;  // before the call is made until `finished` has been read
  v1::RunResult result;
  std::string stdout_text;
};

// A run that is left alone once its program has started. Destroying it cancels the run without waiting for
// its end.
class OpenRun {
 public:
  // The stream of a call made with `context`.
  OpenRun(std::unique_ptr<grpc::ClientContext> context,
          std::unique_ptr<grpc::ClientReader<v1::RunEvent>> reader)
      : context_(std::move(context)), reader_(std::move(reader)) {}
  OpenRun(OpenRun&&) = default;
  OpenRun& operator=(OpenRun&&) = delete;
  ~OpenRun();

  // Reads until `started`. RESOURCE_EXHAUSTED when the run has to queue.
  absl::Status AwaitStarted();
  // Without waiting: the server ends the run.
  void Cancel() { context_->TryCancel(); }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::RunEvent>> reader_;
};

class ExecuteClient {
 public:
  explicit ExecuteClient(const std::string& address);

  // Runs the request to its end. An error unless the program exited by itself with 0.
  absl::StatusOr<CallOutcome> Execute(const v1::ExecuteRequest& request);

  // Returns at once; the run starts, or not, as AwaitStarted says.
  OpenRun Open(const v1::ExecuteRequest& request);

  absl::StatusOr<v1::ServerInfo> GetServerInfo();
  absl::StatusOr<v1::Profile> GetProfile(const std::string& name);

 private:
  std::unique_ptr<v1::RunService::Stub> stub_;
};

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_EXECUTE_CLIENT_H_
