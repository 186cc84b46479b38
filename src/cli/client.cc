#include "cli/client.h"

#include <grpcpp/support/client_interceptor.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/address.h"
#include "cli/error_text.h"
#include "cli/text.h"

namespace caisson::cli {
namespace {

// A page of runs ends at 1 MiB, or after the first run; one has at most 4 MiB, with every path of its files
// as long as can be.
constexpr int kMaxReceiveBytes = 16 * 1024 * 1024;
constexpr size_t kMaxListBytes = 64UL * 1024 * 1024;
constexpr int kMaxListEntries = 16'384;
constexpr std::chrono::seconds kUnaryDeadline{10};
constexpr std::chrono::seconds kCreateDeadline{60};
constexpr std::chrono::milliseconds kRetryDelay{500};
constexpr size_t kMaxPageSize = 1'000;
constexpr char kRunPrefix[] = "runs/";

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

void SetUnaryDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kUnaryDeadline);
}

// A server that always has one more page would keep us for ever, and fill our memory. `call` gets a page,
// `take` its entries, whose number it returns.
template <typename Request, typename Response, typename Call, typename Take>
grpc::Status ForEachPage(Request request, const Call& call, const Take& take) {
  const auto deadline = std::chrono::system_clock::now() + kUnaryDeadline;
  size_t bytes = 0;
  int entries = 0;
  do {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    Response response;
    if (grpc::Status status = call(context, request, response); !status.ok()) {
      return status;
    }
    bytes += response.ByteSizeLong();
    entries += take(response);
    if (bytes > kMaxListBytes || entries > kMaxListEntries) {
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the server's list has more than " +
                                                        std::to_string(kMaxListEntries) + " entries or " +
                                                        BytesText(kMaxListBytes)};
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

}  // namespace

Client::Client(const Server& server)
    : address_(server.address), stub_(v1::RunService::NewStub(MakeChannel(server))) {}

grpc::Status Client::ListProfiles(std::vector<v1::Profile>& profiles) {
  return ForEachPage<v1::ListProfilesRequest, v1::ListProfilesResponse>(
      {},
      [this](grpc::ClientContext& context, const v1::ListProfilesRequest& request,
             v1::ListProfilesResponse& response) {
        return stub_->ListProfiles(&context, request, &response);
      },
      [&profiles](v1::ListProfilesResponse& response) {
        profiles.insert(profiles.end(), std::make_move_iterator(response.mutable_profiles()->begin()),
                        std::make_move_iterator(response.mutable_profiles()->end()));
        return response.profiles_size();
      });
}

grpc::Status Client::ListRuns(const std::string& filter, size_t most, std::vector<v1::Run>& runs) {
  v1::ListRunsRequest first;
  first.set_page_size(static_cast<int32_t>(std::min<size_t>(most, kMaxPageSize)));
  first.set_filter(filter);
  return ForEachPage<v1::ListRunsRequest, v1::ListRunsResponse>(
      first,
      [this](grpc::ClientContext& context, const v1::ListRunsRequest& request,
             v1::ListRunsResponse& response) { return stub_->ListRuns(&context, request, &response); },
      [&runs, most](v1::ListRunsResponse& response) {
        const int size = response.runs_size();
        for (v1::Run& run : *response.mutable_runs()) {
          if (runs.size() < most) {
            runs.push_back(std::move(run));
          }
        }
        if (runs.size() >= most) {
          response.clear_next_page_token();
        }
        return size;
      });
}

grpc::Status Client::CreateRun(const v1::ExecuteRequest& request, v1::Run& run) {
  const auto end = std::chrono::system_clock::now() + kCreateDeadline;
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(end);
    grpc::Status status = stub_->CreateRun(&context, request, &run);
    // Whether it was made or not: with the same id it is made once.
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE || request.request_id().empty() ||
        std::chrono::system_clock::now() + kRetryDelay > end) {
      return status;
    }
    std::this_thread::sleep_for(kRetryDelay);
  }
}

grpc::Status Client::GetRun(const std::string& name, v1::Run& run) {
  grpc::ClientContext context;
  SetUnaryDeadline(context);
  v1::GetRunRequest request;
  request.set_name(name);
  return stub_->GetRun(&context, request, &run);
}

grpc::Status Client::CancelRun(const std::string& name, v1::Run& run) {
  grpc::ClientContext context;
  SetUnaryDeadline(context);
  v1::CancelRunRequest request;
  request.set_name(name);
  return stub_->CancelRun(&context, request, &run);
}

grpc::Status Client::GetServerInfo(v1::ServerInfo& info) {
  grpc::ClientContext context;
  SetUnaryDeadline(context);
  return stub_->GetServerInfo(&context, v1::GetServerInfoRequest(), &info);
}

std::string Client::Explain(const grpc::Status& status) const {
  // UNAVAILABLE without details comes from the transport, not from the server.
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty()) {
    return ExplainUnreachable(address_, CaissondRuns());
  }
  return StatusText(status);
}

std::string RunName(const std::string& name) {
  return name.compare(0, sizeof(kRunPrefix) - 1, kRunPrefix) == 0 ? name : kRunPrefix + name;
}

}  // namespace caisson::cli
