// Fuzzes the way back: what caissond and init say of a run → the API's messages. Input: a byte of choices,
// then FINISHED's and the isolation report's bytes without headers, then events of denials. Whatever the
// codec lets pass must become a result that says something, in UTF-8, and reads back as it was written.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/utf8.h"
#include "dispatcher/convert.h"
#include "ipc/codec.h"
#include "ipc/event_decoder.h"

namespace caisson::dispatcher {
namespace {

class Input {
 public:
  explicit Input(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // Over everything of `message` but its header.
  template <class M>
  M TakeMessage() {
    auto message = ipc::Make<M>();
    const size_t count = std::min(sizeof message - sizeof message.header, bytes_.size());
    std::memcpy(reinterpret_cast<char*>(&message) + sizeof message.header, bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return message;
  }
  uint8_t TakeByte() {
    const uint8_t byte = bytes_.empty() ? 0 : std::to_integer<uint8_t>(bytes_.front());
    bytes_ = bytes_.subspan(bytes_.empty() ? 0 : 1);
    return byte;
  }
  std::span<const std::byte> rest() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

template <class M>
bool IsValid(const M& message, size_t fds) {
  return ipc::DecodeReply(ipc::AsBytes(message), fds).ok();
}

template <class Message>
void CheckReadsBack(const Message& message) {
  Message back;
  CAISSON_CHECK(back.ParseFromString(message.SerializeAsString()));
  CAISSON_CHECK(back.SerializeAsString().size() == message.SerializeAsString().size());
}

void CheckResult(const v1::RunResult& result) {
  CAISSON_CHECK(result.verdict() != v1::VERDICT_UNSPECIFIED && v1::Verdict_IsValid(result.verdict()));
  CAISSON_CHECK(result.message().ends_with(".") && IsValidUtf8(result.message()));
  CAISSON_CHECK(!(result.has_exit_code() && result.has_signal()));
  CheckReadsBack(result);
  CheckReadsBack(FinishedEvent(result));
}

void FuzzOne(std::span<const std::byte> bytes) {
  Input input(bytes);
  const uint8_t choices = input.TakeByte();
  StepOutcome step;
  step.step = (choices & 1U) != 0 ? ipc::Step::kCompile : ipc::Step::kRun;
  step.finished = input.TakeMessage<ipc::Finished>();
  if (!IsValid(step.finished, 0)) {
    return;
  }
  const auto started = input.TakeMessage<ipc::Started>();
  if (IsValid(started, 0)) {
    step.isolation = started.isolation;
    step.started = (choices & 2U) != 0;
    CheckReadsBack(StartedEvent(started.isolation));
  }
  if ((choices & 4U) != 0) {
    step.detail = "make cgroup run-7: No space left on device";
  }
  if ((choices & 8U) != 0) {
    step.cancel_reason = static_cast<ipc::CancelReason>(1 + (choices >> 4U) % 5);
  }
  ipc::EventDecoder decoder;
  std::vector<wire::Event> events;
  static_cast<void>(decoder.Feed(input.rest(), events));
  for (const wire::Event& event : events) {
    step.denials.Add(event);
    CheckReadsBack(DenialEvent(step.step, event));
  }
  CheckReadsBack(StepFinishedEvent(step));
  RunOutcome outcome;
  outcome.outputs_asked_for = (choices & 16U) != 0;
  outcome.steps.push_back(std::move(step));
  CheckResult(ResultToProto(outcome));
}

}  // namespace
}  // namespace caisson::dispatcher

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::dispatcher::FuzzOne(std::as_bytes(std::span(data, size)));
  return 0;
}
