#include "ipc/event_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "common/status.h"

namespace caisson::ipc {
namespace {

constexpr int32_t kMaxSyscall = 1023;

absl::Status Malformed(const char* reason) {
  return absl::InvalidArgumentError(std::string("decode event: ") + reason);
}

}  // namespace

absl::Status EventDecoder::Feed(std::span<const std::byte> bytes, std::vector<wire::Event>& events) {
  while (failure_.ok() && !bytes.empty()) {
    const size_t taken = std::min(bytes.size(), partial_.size() - partial_bytes_);
    std::memcpy(partial_.data() + partial_bytes_, bytes.data(), taken);
    partial_bytes_ += taken;
    bytes = bytes.subspan(taken);
    if (partial_bytes_ < partial_.size()) {
      break;
    }
    wire::Event event{};
    std::memcpy(&event, partial_.data(), sizeof event);
    partial_bytes_ = 0;
    failure_ = Accept(event);
    if (failure_.ok()) {
      events.push_back(event);
    }
  }
  return failure_;
}

absl::Status EventDecoder::Finish() {
  if (failure_.ok() && partial_bytes_ != 0) {
    failure_ = Malformed("the stream ends within an event");
  }
  return failure_;
}

absl::Status EventDecoder::Accept(const wire::Event& event) {
  if (event.magic != wire::kEventMagic) {
    return Malformed("magic is wrong");
  }
  if (event.syscall_number < -1 || event.syscall_number > kMaxSyscall) {
    return Malformed("syscall_number is out of range");
  }
  if (event.killed > 1) {
    return Malformed("killed is neither 0 nor 1");
  }
  if (event.count == 0) {
    return Malformed("count is 0");
  }
  switch (event.type) {
    case wire::EventType::kDenial:
      if (event.count != 1) {
        return Malformed("count of a first denial is not 1");
      }
      return ++live_ > wire::kMaxLiveDenials ? Malformed("too many live denials") : absl::OkStatus();
    case wire::EventType::kDenialSummary:
      return ++summaries_ > wire::kMaxDenialKinds ? Malformed("too many denial summaries") : absl::OkStatus();
    case wire::EventType::kOtherDenials:
      if (event.syscall_number != -1) {
        return Malformed("other denials name a syscall");
      }
      return ++others_ > 1 ? Malformed("other denials come twice") : absl::OkStatus();
    case wire::EventType::kObserved:
    case wire::EventType::kOtherObserved:
      return AcceptObserved(event);
  }
  return Malformed("type is unknown");
}

absl::Status EventDecoder::AcceptObserved(const wire::Event& event) {
  if (!learning_) {
    return Malformed("observed calls of a run that does not learn");
  }
  const bool other = event.type == wire::EventType::kOtherObserved;
  if ((event.syscall_number < 0) != other || event.killed != 0) {
    return Malformed(other ? "other observed calls have no place here"
                           : "an observed call is none, or killed");
  }
  if (other) {
    return ++other_observed_ > 1 ? Malformed("other observed calls come twice") : absl::OkStatus();
  }
  return ++observed_ > wire::kMaxObservedKinds ? Malformed("too many observed calls") : absl::OkStatus();
}

}  // namespace caisson::ipc
