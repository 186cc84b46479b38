// One Interact call: the first message opens it and becomes a run, the others are for that run, one at a time
// and only when it asks for more: a client that sends faster than its program reads is held back by gRPC's
// flow control.
#ifndef CAISSON_DISPATCHER_INTERACT_REACTOR_H_
#define CAISSON_DISPATCHER_INTERACT_REACTOR_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "caisson/v1/run.pb.h"
#include "dispatcher/event_stream_reactor.h"

namespace caisson::dispatcher {

class InteractReactor final
    : public EventStreamReactor<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>> {
 public:
  // A client that has not opened its call by then is sent away.
  static constexpr int64_t kOpenTimeoutMs = 30'000;
  // Takes `open` apart, on a gRPC thread: OK and a task for the I/O thread that submits the run, or the
  // refusal.
  using Submit = std::function<void(std::shared_ptr<ClientStream> client)>;
  using Accept = std::function<grpc::Status(v1::InteractRequest::Open& open, Submit& submit)>;

  static std::shared_ptr<InteractReactor> Create(grpc::CallbackServerContext* context, IoThread& io,
                                                 std::atomic<uint32_t>& open_calls, Accept accept);
  // Waits for the first message. From the handler; or RefuseAtOnce.
  void Begin();

  // ClientStream, on the I/O thread. Without effect while a message is awaited.
  void ReadNext() override;

  // On gRPC's threads, one at a time.
  void OnReadDone(bool ok) override;

 private:
  InteractReactor(grpc::CallbackServerContext* context, IoThread& io, std::atomic<uint32_t>& open_calls,
                  Accept accept)
      : EventStreamReactor(context, io, open_calls), accept_(std::move(accept)) {}
  std::shared_ptr<InteractReactor> Self() {
    return std::static_pointer_cast<InteractReactor>(shared_from_this());
  }
  void Open(v1::InteractRequest& message);
  void PostRefusal(const grpc::Status& status);
  void Deliver(const v1::InteractRequest& message);
  void HandleInputEnd();

  Accept accept_;
  grpc::ByteBuffer read_buffer_;
  bool opened_ = false;  // of the read reactions, which gRPC does not let overlap

  // On the I/O thread only.
  bool reading_ = true;  // Begin starts the first
  bool submitted_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_INTERACT_REACTOR_H_
