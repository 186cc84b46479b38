#include "bench/execute_client.h"

#include <chrono>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::bench {
namespace {

// Far above what any run here takes: it only keeps a broken server from hanging the benchmark.
constexpr std::chrono::seconds kCallDeadline{60};

absl::Status ToAbsl(const grpc::Status& status, const std::string& what) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  // The codes of both are the same numbers.
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      what + ": " + status.error_message());
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
}

absl::Status CheckCompleted(const v1::RunResult& result, const std::string& profile) {
  if (result.verdict() == v1::COMPLETED && result.exit_code() == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError("run " + profile + ": " + v1::Verdict_Name(result.verdict()) + ", exit code " +
                             std::to_string(result.exit_code()) + ": " + result.message());
}

}  // namespace

OpenRun::~OpenRun() {
  if (reader_ == nullptr) {
    return;
  }
  context_->TryCancel();
  v1::RunEvent event;
  while (reader_->Read(&event)) {
  }
  reader_->Finish();  // CANCELLED, as asked
}

absl::Status OpenRun::AwaitStarted() {
  v1::RunEvent event;
  while (reader_->Read(&event)) {
    if (event.has_started()) {
      return absl::OkStatus();
    }
    if (event.has_queued()) {
      return absl::ResourceExhaustedError("start run: the server has no place for it and queues it");
    }
    if (event.has_finished()) {
      return absl::InternalError("start run: it ended: " + event.finished().message());
    }
  }
  const absl::Status status = ToAbsl(reader_->Finish(), "start run");
  reader_ = nullptr;
  return status.ok() ? absl::InternalError("start run: the stream ended without `finished`") : status;
}

ExecuteClient::ExecuteClient(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // a repeated call would be measured as one slow one
  stub_ = v1::RunService::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

absl::StatusOr<CallOutcome> ExecuteClient::Execute(const v1::ExecuteRequest& request) {
  CallOutcome outcome;
  bool finished = false;
  const int64_t begin_ns = MonotonicNanos();
  grpc::ClientContext context;
  SetDeadline(context);
  const auto reader = stub_->Execute(&context, request);
  v1::RunEvent event;
  while (!finished && reader->Read(&event)) {
    if (event.has_output() && event.output().stream() == v1::STREAM_STDOUT) {
      outcome.stdout_text += event.output().data();
    } else if (event.has_finished()) {
      finished = true;
      outcome.result.Swap(event.mutable_finished());
    }
  }
  outcome.total_ns = MonotonicNanos() - begin_ns;
  while (reader->Read(&event)) {  // the stream's end, which comes right after `finished`
  }
  RETURN_IF_ERROR(ToAbsl(reader->Finish(), "execute " + request.profile()));
  if (!finished) {
    return absl::InternalError("execute " + request.profile() + ": the stream ended without `finished`");
  }
  RETURN_IF_ERROR(CheckCompleted(outcome.result, request.profile()));
  return outcome;
}

OpenRun ExecuteClient::Open(const v1::ExecuteRequest& request) {
  auto context = std::make_unique<grpc::ClientContext>();
  auto reader = stub_->Execute(context.get(), request);
  return OpenRun(std::move(context), std::move(reader));
}

absl::StatusOr<v1::ServerInfo> ExecuteClient::GetServerInfo() {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ServerInfo info;
  RETURN_IF_ERROR(ToAbsl(stub_->GetServerInfo(&context, v1::GetServerInfoRequest(), &info), "ask server"));
  return info;
}

absl::StatusOr<v1::Profile> ExecuteClient::GetProfile(const std::string& name) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ListProfilesResponse response;
  RETURN_IF_ERROR(
      ToAbsl(stub_->ListProfiles(&context, v1::ListProfilesRequest(), &response), "list profiles"));
  for (const v1::Profile& profile : response.profiles()) {
    if (profile.name() == name) {
      return profile;
    }
  }
  return absl::NotFoundError("find profile " + name + ": the server has none of that name");
}

}  // namespace caisson::bench
