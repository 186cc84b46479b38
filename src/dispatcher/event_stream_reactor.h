// The writing half of a call that answers with RunEvents, as gRPC's callback API sees it. Reactions come on
// gRPC's threads and only post to the I/O thread, where all state is.
#ifndef CAISSON_DISPATCHER_EVENT_STREAM_REACTOR_H_
#define CAISSON_DISPATCHER_EVENT_STREAM_REACTOR_H_

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "common/status.h"
#include "dispatcher/client_stream.h"
#include "dispatcher/errors.h"
#include "dispatcher/io_thread.h"

namespace caisson::dispatcher {

// Base is grpc::ServerWriteReactor or grpc::ServerBidiReactor of ByteBuffers. gRPC owns the reactor until
// OnDone by way of `self_`; the run and posted tasks share it.
template <class Base>
class EventStreamReactor : public Base,
                           public ClientStream,
                           public std::enable_shared_from_this<EventStreamReactor<Base>> {
 public:
  ~EventStreamReactor() override { LeaveCount(); }

  // ClientStream, on the I/O thread.
  void SetOwner(std::weak_ptr<ClientStreamOwner> owner) override { owner_ = std::move(owner); }
  bool gone() const override { return gone_; }
  void Write(const v1::RunEvent& event, Leaves leaves) override {
    Serialize(event);
    writing_ = true;
    grpc::WriteOptions options;
    if (leaves == Leaves::kWithNext) {
      options.set_buffer_hint();
    }
    this->StartWrite(&buffer_, options);
  }
  void WriteLast(const v1::RunEvent& event) override {
    Serialize(event);
    finished_ = true;
    LeaveCount();
    // gRPC reads the buffer until OnDone.
    this->StartWriteAndFinish(&buffer_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void Finish(const grpc::Status& status) override {
    CAISSON_CHECK(!writing_);
    FinishOnce(status);
  }
  void Abort() override {
    owner_.reset();
    if (!finished_) {
      // OnCancel and the failed write follow, and with them Finish.
      context_->TryCancel();
    }
  }

  // Refuses the call before any run exists. From the handler itself, in place of everything above.
  void RefuseAtOnce(const grpc::Status& status) { FinishOnce(status); }

  // Reactions, on gRPC's threads.
  void OnWriteDone(bool ok) override {
    io_.Post([self = this->shared_from_this(), ok] { self->HandleWritten(ok); });
  }
  void OnCancel() override {
    // gRPC says that a call ended, not why. The client's own deadline reaches us as its cancellation a little
    // before ours passes: the timeout was rounded up on the wire (by at most one per cent) and counted from
    // its arrival.
    const auto now = std::chrono::system_clock::now();
    const auto slack = std::chrono::milliseconds(50) + (context_->deadline() - created_) / 50;
    const GoneReason reason =
        now >= context_->deadline() - slack ? GoneReason::kDeadline : GoneReason::kDisconnected;
    io_.Post([self = this->shared_from_this(), reason] { self->HandleGone(reason); });
  }
  void OnDone() override { self_.reset(); }

 protected:
  EventStreamReactor(grpc::CallbackServerContext* context, IoThread& io, std::atomic<uint32_t>& open_calls)
      : context_(context), io_(io), open_calls_(open_calls) {
    open_calls_.fetch_add(1, std::memory_order_relaxed);
  }
  void KeepUntilDone() { self_ = this->shared_from_this(); }

  IoThread& io() { return io_; }
  std::shared_ptr<ClientStreamOwner> owner() const { return owner_.lock(); }
  // On the I/O thread (or in the handler): without effect the second time.
  void FinishOnce(const grpc::Status& status) {
    if (!std::exchange(finished_, true)) {
      LeaveCount();
      Base::Finish(status);
    }
  }
  bool finished() const { return finished_; }

 private:
  void Serialize(const v1::RunEvent& event) {
    CAISSON_CHECK(!writing_ && !finished_);
    bool own_buffer = false;
    const grpc::Status status =
        grpc::SerializationTraits<v1::RunEvent>::Serialize(event, &buffer_, &own_buffer);
    CAISSON_CHECK(status.ok());
  }
  // A call that is finished holds nothing but its status, and must not keep others out until gRPC lets go of
  // it.
  void LeaveCount() {
    if (std::exchange(counted_, false)) {
      open_calls_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  void HandleWritten(bool ok) {
    writing_ = false;
    buffer_.Clear();
    if (gone_ || !ok) {
      // A failed write means that the call is over; OnCancel tells the owner, before or after this.
      if (gone_) {
        FinishOnce(Refuse(Reason::kClientGone, "the client went away"));
      }
      return;
    }
    if (const std::shared_ptr<ClientStreamOwner> owner = owner_.lock(); owner != nullptr) {
      owner->OnWritten();
    }
  }
  void HandleGone(GoneReason reason) {
    gone_ = true;
    if (!writing_) {
      FinishOnce(Refuse(Reason::kClientGone, "the client went away"));
    }
    if (const std::shared_ptr<ClientStreamOwner> owner = owner_.lock(); owner != nullptr) {
      owner_.reset();
      owner->OnGone(reason);
    }
  }

  grpc::CallbackServerContext* const context_;  // gRPC's; not to be touched once Finish was called
  IoThread& io_;
  std::atomic<uint32_t>& open_calls_;
  const std::chrono::system_clock::time_point created_ = std::chrono::system_clock::now();
  std::shared_ptr<EventStreamReactor> self_;

  // On the I/O thread only (and in the handler, before anything is posted).
  std::weak_ptr<ClientStreamOwner> owner_;
  grpc::ByteBuffer buffer_;
  bool writing_ = false;
  bool finished_ = false;
  bool gone_ = false;
  bool counted_ = true;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_EVENT_STREAM_REACTOR_H_
