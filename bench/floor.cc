#include "bench/floor.h"

#include <grpcpp/server_builder.h>

#include <chrono>

#include "bench/bare_process.h"
#include "common/clock.h"
#include "common/status.h"

namespace caisson::bench {

class Floor::Service final : public v1::RunService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest* /*request*/,
                                          v1::ServerInfo* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

Floor::Floor() : service_(std::make_unique<Service>()) {}

Floor::~Floor() { server_->Shutdown(std::chrono::system_clock::now()); }

absl::StatusOr<std::unique_ptr<Floor>> Floor::Start(const std::string& directory) {
  std::unique_ptr<Floor> floor(new Floor());
  const std::string address = "unix:" + directory + "/floor.sock";
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(floor->service_.get());
  floor->server_ = builder.BuildAndStart();
  if (floor->server_ == nullptr) {
    return absl::UnavailableError("listen on " + address);
  }
  floor->stub_ = v1::RunService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  return floor;
}

absl::StatusOr<int64_t> Floor::Call() {
  const int64_t begin_ns = MonotonicNanos();
  grpc::ClientContext context;
  v1::ServerInfo info;
  const grpc::Status status = stub_->GetServerInfo(&context, v1::GetServerInfoRequest(), &info);
  const int64_t total_ns = MonotonicNanos() - begin_ns;
  return status.ok() ? absl::StatusOr<int64_t>(total_ns)
                     : absl::UnavailableError("an empty call: " + status.error_message());
}

absl::Status Floor::RunInNamespaces(const Work& work) {
  RETURN_IF_ERROR(RunBare(work.command, Namespaces::kOwn).status());
  return Call().status();
}

}  // namespace caisson::bench
