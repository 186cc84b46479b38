// Untrusted input: every message of a client, in any order.
#include "dispatcher/interact_reactor.h"

#include <utility>

#include "common/clock.h"

namespace caisson::dispatcher {

std::shared_ptr<InteractReactor> InteractReactor::Create(grpc::CallbackServerContext* context, IoThread& io,
                                                         std::atomic<uint32_t>& open_calls, Accept accept) {
  std::shared_ptr<InteractReactor> reactor(new InteractReactor(context, io, open_calls, std::move(accept)));
  reactor->KeepUntilDone();
  return reactor;
}

void InteractReactor::Begin() {
  io().Post([self = Self()] {
    self->io().loop().At(
        MonotonicNanos() + kOpenTimeoutMs * kNanosPerMilli, [weak = std::weak_ptr<InteractReactor>(self)] {
          if (const auto late = weak.lock(); late != nullptr && !late->submitted_ && !late->gone()) {
            late->FinishOnce(Refuse(Reason::kInputTimeout, "the call was not opened in time"));
          }
        });
  });
  StartRead(&read_buffer_);
}

void InteractReactor::ReadNext() {
  if (!reading_ && !finished()) {
    reading_ = true;
    StartRead(&read_buffer_);
  }
}

void InteractReactor::OnReadDone(bool ok) {
  if (!ok) {
    io().Post([self = Self()] { self->HandleInputEnd(); });
    return;
  }
  auto message = std::make_shared<v1::InteractRequest>();
  const bool decoded =
      grpc::SerializationTraits<v1::InteractRequest>::Deserialize(&read_buffer_, message.get()).ok();
  read_buffer_.Clear();
  if (!decoded) {
    // An empty message is refused as out of place by whoever gets it.
    message->Clear();
  }
  if (!opened_) {
    return Open(*message);
  }
  io().Post([self = Self(), message] { self->Deliver(*message); });
}

void InteractReactor::Open(v1::InteractRequest& message) {
  if (!message.has_open()) {
    return PostRefusal(Refuse(Reason::kInputOutOfOrder, "the first message must be open"));
  }
  Submit submit;
  if (const grpc::Status status = accept_(*message.mutable_open(), submit); !status.ok()) {
    return PostRefusal(status);
  }
  opened_ = true;
  io().Post([self = Self(), submit = std::move(submit)] {
    self->reading_ = false;
    if (self->gone() || self->finished()) {
      return;
    }
    self->submitted_ = true;
    submit(self);
    self->ReadNext();
  });
}

void InteractReactor::PostRefusal(const grpc::Status& status) {
  io().Post([self = Self(), status] { self->FinishOnce(status); });
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
    FinishOnce(Refuse(Reason::kInputOutOfOrder, "the call ended before it was opened"));
  } else if (const std::shared_ptr<ClientStreamOwner> owner = this->owner(); owner != nullptr) {
    owner->OnInputEnd();
  }
}

}  // namespace caisson::dispatcher
