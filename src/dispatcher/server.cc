#include "dispatcher/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <sys/un.h>

#include <chrono>
#include <utility>

#include "caisson/admin/v1/admin.grpc.pb.h"
#include "common/status.h"
#include "dispatcher/call_watch.h"
#include "dispatcher/request_validation.h"
#include "dispatcher/small_message.h"

namespace caisson::dispatcher {
namespace {

constexpr char kScheme[] = "unix:";
// What gRPC said last gets this long to reach clients that read.
constexpr int64_t kLastWordsMs = 500;
// A little more than a request may have, so that one just above it is refused by us, with details.
constexpr int kMaxReceiveBytes = static_cast<int>(kMaxRequestBytes) + 1024 * 1024;
constexpr int kMaxMetadataBytes = 16 * 1024;
constexpr int kMaxStreamsPerConnection = static_cast<int>(kMaxCallsOfOneConnection);
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMinPingIntervalMs = 30'000;
constexpr size_t kQuotaBytes = 768ULL * 1024 * 1024;
constexpr int kMaxThreads = 32;
// Of the server for admins, whose requests are small.
constexpr int kMaxAdminReceiveBytes = static_cast<int>(kMaxSmallRequestBytes) + 1024;
constexpr size_t kAdminQuotaBytes = 32ULL * 1024 * 1024;

// A server without what libraries add to every one by being linked: reflection.
class NoPlugins final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
  }
};

}  // namespace

absl::StatusOr<std::string> SocketPath(const std::string& address) {
  const std::string scheme(kScheme);
  if (address.compare(0, scheme.size(), scheme) != 0) {
    return absl::InvalidArgumentError("socket " + address +
                                      ": must be unix: and an absolute path; there is no other listener");
  }
  std::string path = address.substr(scheme.size());
  if (path.compare(0, 2, "//") == 0) {
    path.erase(0, 2);  // unix:///PATH is the same
  }
  if (path.size() < 2 || path[0] != '/' || path.back() == '/') {
    return absl::InvalidArgumentError("socket " + address + ": the path must be absolute and name a file");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError("socket " + address + ": the path is too long");
  }
  return path;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(std::vector<ConnectionGate::Listener> listeners,
                                                      ConnectionBook& book, grpc::Service& service,
                                                      const ConnectionGate::Bounds& bounds, Kind kind) {
  const bool for_admins = kind == Kind::kAdmins;
  ASSIGN_OR_RETURN(std::unique_ptr<ConnectionGate> gate,
                   ConnectionGate::Create(std::move(listeners), book, bounds));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ResourceQuota quota(for_admins ? "caisson-admin" : "caisson");
  quota.Resize(for_admins ? kAdminQuotaBytes : kQuotaBytes);
  quota.SetMaxThreads(kMaxThreads);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(for_admins ? kMaxAdminReceiveBytes : kMaxReceiveBytes);
  if (for_admins) {
    builder.SetOption(std::make_unique<NoPlugins>());
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // Windows that grow with a connection's speed would hold megabytes of each call whose program does not
  // read.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.RegisterService(&service);
  // Unlike AddInsecureChannelFromFd this asks the kernel for the peer's address, by which calls are told
  // apart. No credentials: the gate has seen to who it is.
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;
  std::shared_ptr<Acceptor> acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    return absl::UnavailableError("serve: gRPC could not start");
  }
  if (grpc::HealthCheckServiceInterface* health = server->GetHealthCheckService();
      for_admins && health != nullptr) {
    health->SetServingStatus(admin::v1::AdminService::service_full_name(), true);
  }
  gate->Start([acceptor = std::move(acceptor)](UniqueFd end) {
    Acceptor::NewConnectionParameters connection;
    connection.fd = end.release();
    acceptor->HandleNewConnection(&connection);
  });
  return std::unique_ptr<Server>(new Server(std::move(server), std::move(gate)));
}

void Server::SetServing(bool serving) {
  if (grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService(); health != nullptr) {
    health->SetServingStatus("", serving);
  }
}

void Server::SetNotServing() {
  if (grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService(); health != nullptr) {
    health->SetServingStatus(false);
  }
}

void Server::Shutdown(int64_t grace_ms) {
  gate_->StopAccepting();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
  gate_->Finish(kLastWordsMs);
}

}  // namespace caisson::dispatcher
