#include "dispatcher/execute_reactor.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <chrono>
#include <utility>

#include "common/status.h"
#include "dispatcher/errors.h"

namespace caisson::dispatcher {

std::shared_ptr<ExecuteReactor> ExecuteReactor::Create(grpc::CallbackServerContext* context, IoThread& io,
                                                       std::atomic<uint32_t>& open_calls) {
  std::shared_ptr<ExecuteReactor> reactor(new ExecuteReactor(context, io, open_calls));
  reactor->self_ = reactor;
  open_calls.fetch_add(1, std::memory_order_relaxed);
  return reactor;
}

ExecuteReactor::~ExecuteReactor() { open_calls_.fetch_sub(1, std::memory_order_relaxed); }

void ExecuteReactor::Write(const v1::RunEvent& event) {
  CAISSON_CHECK(!writing_ && !finished_);
  bool own_buffer = false;
  const grpc::Status status =
      grpc::SerializationTraits<v1::RunEvent>::Serialize(event, &buffer_, &own_buffer);
  CAISSON_CHECK(status.ok());
  writing_ = true;
  StartWrite(&buffer_);
}

void ExecuteReactor::Finish(const grpc::Status& status) {
  CAISSON_CHECK(!writing_);
  FinishOnce(status);
}

void ExecuteReactor::FinishOnce(const grpc::Status& status) {
  if (!std::exchange(finished_, true)) {
    grpc::ServerWriteReactor<grpc::ByteBuffer>::Finish(status);
  }
}

void ExecuteReactor::RefuseAtOnce(const grpc::Status& status) { FinishOnce(status); }

void ExecuteReactor::Abort() {
  owner_.reset();
  if (!finished_) {
    // OnCancel and the failed write follow, and with them Finish.
    context_->TryCancel();
  }
}

void ExecuteReactor::HandleGone(GoneReason reason) {
  gone_ = true;
  if (!writing_) {
    FinishOnce(Refuse(Reason::kClientGone, "the client went away"));
  }
  if (const std::shared_ptr<ClientStreamOwner> owner = owner_.lock(); owner != nullptr) {
    owner_.reset();
    owner->OnGone(reason);
  }
}

void ExecuteReactor::OnWriteDone(bool ok) {
  io_.Post([self = shared_from_this(), ok] {
    self->writing_ = false;
    self->buffer_.Clear();
    if (self->gone_ || !ok) {
      // A failed write means that the call is over; OnCancel tells the owner, before or after this.
      if (self->gone_) {
        self->FinishOnce(Refuse(Reason::kClientGone, "the client went away"));
      }
      return;
    }
    if (const std::shared_ptr<ClientStreamOwner> owner = self->owner_.lock(); owner != nullptr) {
      owner->OnWritten();
    }
  });
}

void ExecuteReactor::OnCancel() {
  // gRPC says that a call ended, not why. The client's own deadline reaches us as its cancellation a little
  // before ours passes: the timeout was rounded up on the wire (by at most one per cent) and counted from its
  // arrival.
  const auto now = std::chrono::system_clock::now();
  const auto slack = std::chrono::milliseconds(50) + (context_->deadline() - created_) / 50;
  const GoneReason reason =
      now >= context_->deadline() - slack ? GoneReason::kDeadline : GoneReason::kDisconnected;
  io_.Post([self = shared_from_this(), reason] { self->HandleGone(reason); });
}

void ExecuteReactor::OnDone() { self_.reset(); }

}  // namespace caisson::dispatcher
