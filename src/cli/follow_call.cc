// Untrusted: all that the events carry.
#include "cli/follow_call.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "cli/address.h"
#include "cli/conclusion.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

constexpr size_t kMaxPieceBytes = 64UL * 1024;
constexpr size_t kMaxGatheredBytes = 64UL * 1024 * 1024;
// Without a byte of progress, the service is given up after this many calls, a second between each.
constexpr int kMostCalls = 60;
constexpr std::chrono::seconds kBetweenCalls{1};

absl::Status Wrong(const std::string& what) { return absl::DataLossError(what); }

bool IsSameStep(const std::string& step) { return step == "run" || step == "compile"; }

}  // namespace

FollowCall::FollowCall(Client& client, const FollowOptions& options, OutputDirectory* outputs)
    : client_(client), options_(options), outputs_(outputs) {
  received_[{"run", v1::STREAM_STDOUT}] = options.stdout_offset;
  received_[{"run", v1::STREAM_STDERR}] = options.stderr_offset;
}

void FollowCall::Interrupt() {
  const std::lock_guard<std::mutex> lock(mutex_);
  interrupted_ = true;
  if (context_ != nullptr) {
    context_->TryCancel();
  }
}

v1::FollowRunRequest FollowCall::Request() const {
  v1::FollowRunRequest request;
  request.set_name(RunName(options_.name));
  for (const auto& [stream, offset] : received_) {
    if (offset != 0) {
      v1::FollowRunRequest::StreamOffset& wanted = *request.add_offsets();
      wanted.set_step(stream.first);
      wanted.set_stream(stream.second);
      wanted.set_offset(offset);
    }
  }
  return request;
}

absl::Status FollowCall::HandleOutput(const v1::Output& output) {
  if (!IsSameStep(output.step()) ||
      (output.stream() != v1::STREAM_STDOUT && output.stream() != v1::STREAM_STDERR)) {
    return Wrong("output of no stream");
  }
  uint64_t& next = received_[{output.step(), output.stream()}];
  if (output.offset() != next || output.data().empty() || output.data().size() > kMaxPieceBytes) {
    return Wrong("output out of order");
  }
  next += output.data().size();
  const bool is_stdout = output.stream() == v1::STREAM_STDOUT && output.step() == "run";
  if (options_.json) {
    std::string& all = gathered_[output.step() == "compile" ? "compile" : is_stdout ? "stdout" : "stderr"];
    if (all.size() + output.data().size() > kMaxGatheredBytes) {
      return absl::ResourceExhaustedError("a stream has more than " + BytesText(kMaxGatheredBytes) +
                                          ": follow it without --json");
    }
    all += output.data();
    return absl::OkStatus();
  }
  if (write_error_ == 0) {
    write_error_ = WriteAll(is_stdout ? STDOUT_FILENO : STDERR_FILENO, output.data());
  }
  return write_error_ == 0 ? absl::OkStatus() : absl::CancelledError("standard output cannot be written");
}

// Each call sends the files anew; those that are complete are there already.
absl::Status FollowCall::HandleFile(const v1::OutputFile& piece) {
  RETURN_IF_ERROR(files_->Accept(piece));
  uint64_t& bytes = file_bytes_[piece.path()];
  bytes += piece.data().size();
  if (outputs_ == nullptr || complete_files_.contains(piece.path())) {
    return absl::OkStatus();
  }
  if (const absl::Status status = outputs_->Accept(piece); !status.ok() && failure_.empty()) {
    failure_ = Message(status);
  }
  if (bytes == piece.size_bytes()) {
    complete_files_.insert(piece.path());
  }
  return absl::OkStatus();
}

absl::Status FollowCall::Handle(v1::RunEvent& event) {
  heard_ = true;
  if (event.sequence() != ++sequence_ || result_.has_value()) {
    return Wrong("events out of order");
  }
  switch (event.event_case()) {
    case v1::RunEvent::kOutput:
      progress_ = true;
      return HandleOutput(event.output());
    case v1::RunEvent::kOutputFile:
      return HandleFile(event.output_file());
    case v1::RunEvent::kFinished:
      result_ = std::move(*event.mutable_finished());
      return absl::OkStatus();
    default:
      return absl::OkStatus();
  }
}

grpc::Status FollowCall::FollowOnce() {
  const auto context = std::make_shared<grpc::ClientContext>();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (interrupted_) {
      return {grpc::StatusCode::CANCELLED, "interrupted"};
    }
    context_ = context;
  }
  sequence_ = 0;
  file_bytes_.clear();
  files_.emplace(std::vector<std::string>{"."});
  if (outputs_ != nullptr) {
    outputs_->DropIncomplete();
  }
  const auto reader = client_.stub().FollowRun(context.get(), Request());
  v1::RunEvent event;
  while (reader->Read(&event)) {
    if (violation_ = Handle(event); !violation_.ok()) {
      context->TryCancel();
      break;
    }
  }
  return reader->Finish();
}

absl::StatusOr<std::string> FollowCall::Json() {
  const bool compile_failed = result_->verdict() == v1::COMPILE_FAILED;
  return RunResultJson(*result_, gathered_["stdout"], gathered_[compile_failed ? "compile" : "stderr"], {});
}

int FollowCall::ConcludeWithResult() {
  const int code = TellResult(*result_, options_.json ? std::optional(Json()) : std::nullopt);
  if (!failure_.empty()) {
    Complain(failure_);
    return kExitService;
  }
  return code;
}

int FollowCall::Conclude(const grpc::Status& status) {
  if (outputs_ != nullptr) {
    outputs_->DropIncomplete();
  }
  if (write_error_ == EPIPE) {
    return kExitCanceled;
  }
  if (write_error_ != 0) {
    Complain(std::string("write to standard output: ") + std::strerror(write_error_));
    return kExitService;
  }
  if (!violation_.ok()) {
    Complain("failed: " + (absl::IsDataLoss(violation_)
                               ? "the server sent " + Message(violation_) + ", which no Caisson server does"
                               : Message(violation_)));
    return kExitService;
  }
  if (result_.has_value()) {
    return ConcludeWithResult();
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (interrupted_) {
    Complain("no longer followed; the run goes on");
    return kExitCanceled;
  }
  Complain(status.ok() ? "failed: the server ended the call without a result" : client_.Explain(status));
  return kExitService;
}

// Once for each time the service is lost.
void FollowCall::TellLost(const grpc::Status& status) {
  Complain(heard_ ? "the connection to the service is lost; trying for up to a minute"
                  : client_.Explain(status) + "; trying for up to a minute");
}

int FollowCall::Follow() {
  grpc::Status status;
  for (int calls = 0; calls < kMostCalls; ++calls) {
    progress_ = false;
    status = FollowOnce();
    calls = progress_ ? 0 : calls;
    // A server that is gone or being started anew; everything else is an answer.
    if (result_.has_value() || !violation_.ok() || status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      break;
    }
    // A wrong address is not worth a minute.
    if (!heard_ && !MayAnswer(client_.address())) {
      break;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (interrupted_) {
        break;
      }
      context_ = nullptr;
    }
    if (calls == 0) {
      TellLost(status);
    }
    std::this_thread::sleep_for(kBetweenCalls);
  }
  return Conclude(status);
}

}  // namespace caisson::cli
