#include "cli/client.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/channel.h"
#include "cli/pages.h"

namespace caisson::cli {
namespace {

constexpr std::chrono::seconds kCreateDeadline{60};
constexpr std::chrono::milliseconds kRetryDelay{500};
constexpr size_t kMaxPageSize = 1'000;
constexpr char kRunPrefix[] = "runs/";

void SetUnaryDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kUnaryDeadline);
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

std::string Client::Explain(const grpc::Status& status) const { return ExplainFailure(address_, status); }

std::string RunName(const std::string& name) {
  return name.compare(0, sizeof(kRunPrefix) - 1, kRunPrefix) == 0 ? name : kRunPrefix + name;
}

}  // namespace caisson::cli
