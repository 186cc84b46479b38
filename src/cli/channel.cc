#include "cli/channel.h"

#include <grpcpp/support/client_interceptor.h>

#include <utility>
#include <vector>

#include "cli/address.h"
#include "cli/error_text.h"

namespace caisson::cli {
namespace {

// A page of runs ends at 1 MiB, or after the first run; one has at most 4 MiB, with every path of its files
// as long as can be.
constexpr int kMaxReceiveBytes = 16 * 1024 * 1024;

// Shows the token with each call. Not gRPC's call credentials, which want a channel with TLS: who reads a
// Unix socket is its owner's business.
class TokenInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit TokenInterceptor(std::string value) : value_(std::move(value)) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", value_);
    }
    methods->Proceed();
  }

 private:
  const std::string value_;
};

class TokenInterceptorFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptorFactory(const std::string& token) : value_("Bearer " + token) {}

  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo* /*info*/) override {
    return new TokenInterceptor(value_);  // gRPC's from here on
  }

 private:
  const std::string value_;
};

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const Server& server) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A run must not be started twice behind the user's back.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // The socket's owner and mode are what authenticates, in both directions.
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  if (!server.token.empty()) {
    interceptors.push_back(std::make_unique<TokenInterceptorFactory>(server.token));
  }
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      server.address, grpc::InsecureChannelCredentials(), arguments, std::move(interceptors));
}

std::string ExplainFailure(const std::string& address, const grpc::Status& status) {
  // UNAVAILABLE without details comes from the transport, not from the server.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty()) {
    return ExplainUnreachable(address, CaissondRuns());
  }
  return StatusText(status);
}

}  // namespace caisson::cli
