// Untrusted input: every message of a client, in any order.
#include "dispatcher/interact_reactor.h"

#include <grpcpp/support/slice.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "dispatcher/errors.h"
#include "dispatcher/field_count.h"
#include "dispatcher/undecodable_fields.h"

namespace caisson::dispatcher {
namespace {

// The fields of `open` are named as those of Execute are.
std::string WithoutOpen(const std::string& field) {
  for (const std::string_view prefix : {"open.request.", "open."}) {
    if (field.compare(0, prefix.size(), prefix) == 0) {
      return field.substr(prefix.size());
    }
  }
  return field;
}

}  // namespace

std::shared_ptr<InteractReactor> InteractReactor::Create(grpc::CallbackServerContext* context, IoThread& io,
                                                         std::atomic<uint32_t>& open_calls, Take take,
                                                         InputTimeouts timeouts) {
  std::shared_ptr<InteractReactor> reactor(
      new InteractReactor(context, io, open_calls, std::move(take), timeouts));
  reactor->KeepUntilDone();
  return reactor;
}

void InteractReactor::Begin() {
  io().Post([self = Self()] {
    self->begun_ns_ = self->last_message_ns_ = MonotonicNanos();
    self->ArmTimer();
  });
  StartRead(&read_buffer_);
}

int64_t InteractReactor::DeadlineNanos() const {
  return std::min(last_message_ns_ + timeouts_.message_ms * kNanosPerMilli,
                  begun_ns_ + timeouts_.upload_ms * kNanosPerMilli);
}

void InteractReactor::ArmTimer() {
  timer_ = io().loop().At(DeadlineNanos(), [weak = std::weak_ptr<InteractReactor>(Self())] {
    if (const auto self = weak.lock(); self != nullptr) {
      self->CheckDeadline();
    }
  });
}

// Messages do not move the timer, which would be work for each of them; they move what it looks at.
void InteractReactor::CheckDeadline() {
  if (submitted_ || gone() || finished()) {
    return;
  }
  const int64_t now = MonotonicNanos();
  if (now < DeadlineNanos()) {
    return ArmTimer();
  }
  if (!opened_) {
    FinishOnce(Refuse(Reason::kInputTimeout, "the call was not opened in time"));
  } else if (now < begun_ns_ + timeouts_.upload_ms * kNanosPerMilli) {
    FinishOnce(Refuse(Reason::kInputTimeout, "the files stopped coming"));
  } else {
    FinishOnce(Refuse(Reason::kInputTimeout, "the files did not come in time"));
  }
}

void InteractReactor::ReadNext() {
  if (!reading_ && !finished()) {
    reading_ = true;
    StartRead(&read_buffer_);
  }
}

void InteractReactor::OnReadDone(bool ok) {
  if (!ok) {
    take_ = nullptr;
    io().Post([self = Self()] { self->HandleInputEnd(); });
    return;
  }
  grpc::ByteBuffer bytes(read_buffer_);  // shares the bytes; deserializing empties the other
  auto message = std::make_shared<v1::InteractRequest>();
  const bool decoded =
      !HasTooManyFields(*v1::InteractRequest::descriptor(), read_buffer_) &&
      grpc::SerializationTraits<v1::InteractRequest>::Deserialize(&read_buffer_, message.get()).ok();
  read_buffer_.Clear();
  if (decoded) {
    bytes.Clear();
  }
  if (take_ != nullptr) {
    return decoded ? TakeMessage(*message) : RefuseUndecodable(bytes);
  }
  if (!decoded) {
    // An empty message is out of place wherever it comes.
    message->Clear();
  }
  io().Post([self = Self(), message] { self->Deliver(*message); });
}

void InteractReactor::RefuseUndecodable(const grpc::ByteBuffer& bytes) {
  take_ = nullptr;
  const google::protobuf::Descriptor& type = *v1::InteractRequest::descriptor();
  if (HasTooManyFields(type, bytes)) {
    const std::string most = std::to_string(kMaxFields);
    return Answer(RefuseFields(Reason::kInvalidRequest, {{type.name(), "has more than " + most + " fields"}}),
                  nullptr);
  }
  grpc::Slice slice;
  static_cast<void>(bytes.DumpToSingleSlice(&slice));  // Fails with an empty slice, which has no bad field.
  const std::string_view flat(reinterpret_cast<const char*>(slice.begin()), slice.size());  // SAFETY: bytes
  std::vector<FieldViolation> violations = FindUndecodableFields(type, flat);
  for (FieldViolation& violation : violations) {
    violation.field = WithoutOpen(violation.field);
  }
  Answer(RefuseFields(Reason::kInvalidRequest, violations), nullptr);
}

void InteractReactor::TakeMessage(v1::InteractRequest& message) {
  Submit submit;
  const grpc::Status status = take_(message, submit);
  if (!status.ok() || submit != nullptr) {
    take_ = nullptr;
  }
  Answer(status, std::move(submit));
}

void InteractReactor::Answer(const grpc::Status& status, Submit submit) {
  io().Post([self = Self(), status, submit = std::move(submit)] {
    self->reading_ = false;
    if (self->gone() || self->finished()) {
      return;
    }
    if (!status.ok()) {
      return self->FinishOnce(status);
    }
    self->HandleTaken(submit);
  });
}

void InteractReactor::HandleTaken(const Submit& submit) {
  opened_ = true;
  last_message_ns_ = MonotonicNanos();
  if (submit != nullptr) {
    submitted_ = true;
    io().loop().Cancel(timer_);
    submit(Self());
  }
  ReadNext();
}

void InteractReactor::Deliver(const v1::InteractRequest& message) {
  reading_ = false;
  if (const std::shared_ptr<ClientStreamOwner> owner = this->owner(); owner != nullptr) {
    owner->OnInput(message);
  }
}

// The client sends no more, or the call is over; OnCancel tells the latter.
void InteractReactor::HandleInputEnd() {
  if (gone()) {
    return;
  }
  if (!submitted_) {
    FinishOnce(Refuse(Reason::kInputOutOfOrder, opened_ ? "the call ended before its files were complete"
                                                        : "the call ended before it was opened"));
  } else if (const std::shared_ptr<ClientStreamOwner> owner = this->owner(); owner != nullptr) {
    owner->OnInputEnd();
  }
}

}  // namespace caisson::dispatcher
