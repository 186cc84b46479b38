#include "cli/client.h"

#include <chrono>

#include "cli/address.h"
#include "cli/error_text.h"

namespace caisson::cli {
namespace {

constexpr int kMaxReceiveBytes = 64 * 1024 * 1024;  // a page of finished runs with their isolation reports
constexpr std::chrono::seconds kUnaryDeadline{10};
constexpr char kRunPrefix[] = "runs/";

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A run must not be started twice behind the user's back.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // The socket's owner and mode are what authenticates, in both directions.
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void SetUnaryDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kUnaryDeadline);
}

}  // namespace

Client::Client(std::string address)
    : address_(std::move(address)), stub_(v1::RunService::NewStub(MakeChannel(address_))) {}

grpc::Status Client::ListProfiles(std::vector<v1::Profile>& profiles) {
  v1::ListProfilesRequest request;
  do {
    grpc::ClientContext context;
    SetUnaryDeadline(context);
    v1::ListProfilesResponse response;
    if (grpc::Status status = stub_->ListProfiles(&context, request, &response); !status.ok()) {
      return status;
    }
    for (v1::Profile& profile : *response.mutable_profiles()) {
      profiles.push_back(std::move(profile));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

grpc::Status Client::ListRuns(std::vector<v1::Run>& runs) {
  v1::ListRunsRequest request;
  request.set_page_size(1000);
  do {
    grpc::ClientContext context;
    SetUnaryDeadline(context);
    v1::ListRunsResponse response;
    if (grpc::Status status = stub_->ListRuns(&context, request, &response); !status.ok()) {
      return status;
    }
    for (v1::Run& run : *response.mutable_runs()) {
      runs.push_back(std::move(run));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
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
    return ExplainUnreachable(address_);
  }
  return StatusText(status);
}

std::string RunName(const std::string& name) {
  return name.compare(0, sizeof(kRunPrefix) - 1, kRunPrefix) == 0 ? name : kRunPrefix + name;
}

}  // namespace caisson::cli
