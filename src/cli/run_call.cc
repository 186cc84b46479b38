// The main thread reads the stream of events and writes the program's output with write(2), so a slow reader
// of ours slows the run. Untrusted: all that the events carry.
#include "cli/run_call.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/conclusion.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/streams.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

constexpr size_t kFileChunkBytes = 1024UL * 1024;

// Says how much has been sent.
class Progress {
 public:
  explicit Progress(uint64_t total_bytes) : total_(total_bytes) {}

  void Add(uint64_t bytes) {
    sent_ += bytes;
    line_.Show("sending files, " + std::to_string(sent_ / kFileChunkBytes) + " of " +
               std::to_string((total_ + kFileChunkBytes - 1) / kFileChunkBytes) + " MiB");
  }

 private:
  StatusLine line_;
  const uint64_t total_;
  uint64_t sent_ = 0;
};

// False when the call is over already.
bool SendFile(InteractStream& stream, const v1::InputFile& file, Progress& progress) {
  std::string_view left = file.content();
  v1::InteractRequest request;
  v1::InteractRequest::FileChunk& chunk = *request.mutable_file();
  chunk.set_path(file.path());
  chunk.set_executable(file.executable());
  do {
    const std::string_view data = left.substr(0, kFileChunkBytes);
    left.remove_prefix(data.size());
    chunk.set_data(data.data(), data.size());
    chunk.set_last(left.empty());
    if (!stream.Write(request)) {
      return false;
    }
    progress.Add(data.size());
  } while (!left.empty());
  return true;
}

using InputFiles = google::protobuf::RepeatedPtrField<v1::InputFile>;

bool SendFiles(InteractStream& stream, const InputFiles& files) {
  uint64_t total_bytes = 0;
  for (const v1::InputFile& file : files) {
    total_bytes += file.content().size();
  }
  Progress progress(total_bytes);
  return std::all_of(files.begin(), files.end(),
                     [&](const v1::InputFile& file) { return SendFile(stream, file, progress); });
}

// `position` is the server's word; 1 is next.
std::string WaitingText(uint32_t position) {
  return position <= 1 ? "waiting, next in the queue" : "waiting, " + std::to_string(position - 1) + " ahead";
}

}  // namespace

void RunCall::Interrupt() {
  std::string name;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    interrupted_ = true;
    name = name_;
  }
  v1::Run run;
  if (name.empty() || !client_.CancelRun(name, run).ok()) {
    context_.TryCancel();
  }
}

void RunCall::HandleOutput(const v1::Output& output) {
  const bool compiles = output.step() == "compile";
  const bool is_stdout = output.stream() == v1::STREAM_STDOUT && !compiles;
  if (options_.json) {
    (compiles ? compile_bytes_ : is_stdout ? stdout_bytes_ : stderr_bytes_) += output.data();
    return;
  }
  if (reader_gone_ || write_error_ != 0) {
    return;
  }
  const int error = WriteAll(is_stdout ? STDOUT_FILENO : STDERR_FILENO, output.data());
  if (error != 0 && is_stdout) {
    // Nobody reads what the program prints (| head), or it cannot be kept (disk full): the run is for
    // nothing.
    reader_gone_ = error == EPIPE;
    write_error_ = error;
    context_.TryCancel();
  }
}

void RunCall::HandleOutputFile(const v1::OutputFile& piece) {
  if (options_.json) {
    output_bytes_[piece.path()] += piece.data();
  }
  if (outputs_ == nullptr) {
    return;
  }
  if (const absl::Status status = outputs_->Accept(piece); !status.ok()) {
    output_failures_.push_back(Message(status));
  }
}

bool RunCall::IsInPlace(const v1::RunEvent& event) {
  if (!violation_.ok()) {
    return false;
  }
  violation_ = check_->Accept(event);
  if (!violation_.ok()) {
    context_.TryCancel();
  }
  return violation_.ok();
}

void RunCall::Handle(v1::RunEvent& event) {
  if (!IsInPlace(event)) {
    return;
  }
  switch (event.event_case()) {
    case v1::RunEvent::kQueued:
      waiting_.Show(WaitingText(event.queued().position()));
      break;
    case v1::RunEvent::kAccepted: {
      waiting_.Clear();
      const std::lock_guard<std::mutex> lock(mutex_);
      name_ = event.accepted().name();
      break;
    }
    case v1::RunEvent::kOutput:
      HandleOutput(event.output());
      break;
    case v1::RunEvent::kOutputFile:
      HandleOutputFile(event.output_file());
      break;
    case v1::RunEvent::kFinished:
      finished_ = true;
      result_ = std::move(*event.mutable_finished());
      break;
    default:
      break;  // a newer server may send more kinds of events
  }
}

absl::StatusOr<std::string> RunCall::Json() const {
  // A program that does not compile has no streams of its own: what there is to read is the compiler's.
  const bool compile_failed = result_.verdict() == v1::COMPILE_FAILED;
  return RunResultJson(result_, stdout_bytes_, compile_failed ? compile_bytes_ : stderr_bytes_,
                       output_bytes_);
}

int RunCall::ConcludeWithResult() {
  const int code = TellResult(result_, options_.json ? std::optional(Json()) : std::nullopt);
  for (const std::string& line : output_failures_) {
    Complain(line);
  }
  return output_failures_.empty() ? code : kExitService;
}

void RunCall::DropIncompleteFiles() {
  if (outputs_ != nullptr) {
    outputs_->DropIncomplete();
  }
  for (const ReturnedFiles::Part& part : check_->IncompleteFiles()) {
    Complain("not returned: " + Printable(part.path) + ": only " + std::to_string(part.received_bytes) +
             " of its " + std::to_string(part.size_bytes) + " bytes came, and they are not kept");
  }
}

int RunCall::Conclude(const grpc::Status& status) {
  waiting_.Clear();
  DropIncompleteFiles();
  if (!violation_.ok()) {
    result_.Clear();
    Complain("failed: " + (absl::IsDataLoss(violation_)
                               ? "the server sent " + Message(violation_) + ", which no Caisson server does"
                               : Message(violation_)));
    return kExitService;
  }
  if (reader_gone_) {
    return kExitCanceled;
  }
  if (write_error_ != 0) {
    Complain(std::string("write to standard output: ") + std::strerror(write_error_) +
             "; the run was canceled");
    return kExitService;
  }
  if (finished_) {
    return ConcludeWithResult();
  }
  bool interrupted = false;
  bool accepted = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    interrupted = interrupted_;
    accepted = !name_.empty();
  }
  if (interrupted) {
    Complain("canceled");
    return kExitCanceled;
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && options_.timeout_seconds > 0) {
    Complain("canceled: the time given with --timeout is over");
    return kExitCanceled;
  }
  if (status.ok()) {
    Complain("failed: the server ended the call without a result");
  } else {
    Complain((accepted ? "the run was lost: " : "") + client_.Explain(status));
  }
  return kExitService;
}

void RunCall::Expect(const v1::ExecuteRequest& request) {
  check_.emplace(request, options_.json ? EventCheck::Output::kGathered : EventCheck::Output::kPassed);
}

void RunCall::SetDeadline() {
  if (options_.timeout_seconds > 0) {
    context_.set_deadline(std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::system_clock::duration>(
                              std::chrono::duration<double>(options_.timeout_seconds)));
  }
}

int RunCall::Execute(const v1::ExecuteRequest& request) {
  SetDeadline();
  Expect(request);
  const std::unique_ptr<grpc::ClientReader<v1::RunEvent>> reader = client_.stub().Execute(&context_, request);
  v1::RunEvent event;
  while (reader->Read(&event)) {
    Handle(event);
  }
  return Conclude(reader->Finish());
}

int RunCall::Interact(v1::InteractRequest::Open open, InputForwarder& input) {
  SetDeadline();
  Expect(open.request());
  InputFiles files;
  if (open.ByteSizeLong() > kMaxRequestBytes) {
    files.Swap(open.mutable_request()->mutable_files());
    open.set_files_to_follow(static_cast<uint32_t>(files.size()));
  }
  const auto stream = client_.stub().Interact(&context_);
  v1::InteractRequest first;
  *first.mutable_open() = std::move(open);
  if (stream->Write(first) && SendFiles(*stream, files)) {
    input.Start(*stream);
  }
  v1::RunEvent event;
  while (stream->Read(&event)) {
    Handle(event);
  }
  input.Stop();
  RawTerminal::RestoreTerminal();
  return Conclude(stream->Finish());
}

}  // namespace caisson::cli
