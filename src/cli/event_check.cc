#include "cli/event_check.h"

#include "cli/exit_code.h"
#include "cli/result_text.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

absl::Status Wrong(const std::string& what) { return absl::DataLossError(what); }

const char* StreamName(v1::Stream stream) { return stream == v1::STREAM_STDOUT ? "stdout" : "stderr"; }

std::string KindOf(const v1::RunEvent& event) {
  const google::protobuf::FieldDescriptor* field =
      v1::RunEvent::descriptor()->FindFieldByNumber(static_cast<int>(event.event_case()));
  return field == nullptr ? "an event of an unknown kind" : "`" + field->name() + "`";
}

// `counted` is what the result says was delivered.
absl::Status CheckCount(const char* stream, uint64_t counted, uint64_t received) {
  if (counted == received) {
    return absl::OkStatus();
  }
  return Wrong(std::to_string(received) + " bytes of " + stream + ", but by its own word delivered " +
               std::to_string(counted));
}

}  // namespace

EventCheck::EventCheck(const v1::ExecuteRequest& request, Output output)
    : output_(output),
      limit_bytes_(request.limits().output_bytes()),
      files_({request.output_paths().begin(), request.output_paths().end()}) {}

absl::Status EventCheck::Accept(const v1::RunEvent& event) {
  if (event.sequence() != sequence_ + 1) {
    return Wrong("event " + std::to_string(event.sequence()) + " after event " + std::to_string(sequence_));
  }
  ++sequence_;
  if (stage_ == Stage::kFinished) {
    return Wrong(KindOf(event) + " after the result");
  }
  const bool before_acceptance =
      event.event_case() == v1::RunEvent::kQueued || event.event_case() == v1::RunEvent::kAccepted;
  // A newer server may send more kinds of events; wherever it likes, since we do not look at them.
  if (event.event_case() != v1::RunEvent::EVENT_NOT_SET && before_acceptance != (stage_ == Stage::kWaiting)) {
    return Wrong(KindOf(event) + (before_acceptance ? " after" : " before") + " the run was accepted");
  }
  switch (event.event_case()) {
    case v1::RunEvent::kAccepted:
      stage_ = Stage::kAccepted;
      return event.accepted().name().empty() ? Wrong("`accepted` without a name") : absl::OkStatus();
    case v1::RunEvent::kOutput:
      return AcceptOutput(event.output());
    case v1::RunEvent::kOutputFile:
      stage_ = Stage::kFiles;
      return files_.Accept(event.output_file());
    case v1::RunEvent::kFinished:
      stage_ = Stage::kFinished;
      return AcceptResult(event.finished());
    default:
      return absl::OkStatus();
  }
}

absl::Status EventCheck::AcceptOutput(const v1::Output& output) {
  if (output.stream() != v1::STREAM_STDOUT && output.stream() != v1::STREAM_STDERR) {
    return Wrong("output of a stream that is neither stdout nor stderr: " + std::to_string(output.stream()));
  }
  if (output.step() != "compile" && output.step() != "run") {
    return Wrong("output of a step that is neither compile nor run: '" + Printable(output.step()) + "'");
  }
  if (stage_ == Stage::kFiles) {
    return Wrong("output after returned files");
  }
  Streams& streams = output.step() == "compile" ? compile_ : run_;
  uint64_t& received = streams.received_bytes[output.stream() == v1::STREAM_STDOUT ? 0 : 1];
  if (output.offset() != received) {
    return Wrong(std::string(StreamName(output.stream())) + " from byte " + std::to_string(output.offset()) +
                 " on where byte " + std::to_string(received) + " was due");
  }
  received += output.data().size();
  return CheckAmount(output, received);
}

absl::Status EventCheck::CheckAmount(const v1::Output& output, uint64_t received_bytes) const {
  const char* stream = StreamName(output.stream());
  // A compiler has the limits of its profile, which the request does not set.
  const bool limited = limit_bytes_ != 0 && output.step() == "run";
  if (limited && received_bytes > limit_bytes_) {
    return Wrong("more of " + std::string(stream) + " than the " + BytesText(limit_bytes_) +
                 " that output_bytes allows");
  }
  if (!limited && output_ == Output::kGathered && received_bytes > kMaxGatheredBytes) {
    return absl::ResourceExhaustedError(
        "more than " + BytesText(kMaxGatheredBytes) + " of " + stream + " cannot be gathered for --json" +
        (output.step() == "run" ? "; --limit output_bytes=N sets another bound" : ""));
  }
  return absl::OkStatus();
}

absl::Status EventCheck::AcceptResult(const v1::RunResult& result) {
  if (!HasItsEnd(result)) {
    return Wrong("a result that is " + VerdictText(result.verdict()) +
                 " without an exit code or signal that a process can have");
  }
  // Absent when the program was never let go.
  if (result.has_stdout()) {
    RETURN_IF_ERROR(CheckCount("stdout", result.stdout().delivered_bytes(), run_.received_bytes[0]));
  }
  if (result.has_stderr()) {
    RETURN_IF_ERROR(CheckCount("stderr", result.stderr().delivered_bytes(), run_.received_bytes[1]));
  }
  return files_.CheckResult(result);
}

}  // namespace caisson::cli
