// One Interact call: the first message opens it, files may follow in chunks, and they become a run; the other
// messages are for that run, one at a time and only when it asks for more: a client that sends faster than
// its program reads is held back by gRPC's flow control.
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
  // A client that is later is sent away.
  struct InputTimeouts {
    int64_t message_ms = 30'000;  // to `open`, and from one chunk to the next
    int64_t upload_ms = 900'000;  // to the last chunk
  };
  using Submit = std::function<void(std::shared_ptr<ClientStream> client)>;
  // Takes a message apart, on a gRPC thread. OK: with `submit` set, a task for the I/O thread, the run can be
  // submitted; without, more is to come first. Otherwise the refusal.
  using Take = std::function<grpc::Status(v1::InteractRequest& message, Submit& submit)>;

  static std::shared_ptr<InteractReactor> Create(grpc::CallbackServerContext* context, IoThread& io,
                                                 std::atomic<uint32_t>& open_calls, Take take,
                                                 InputTimeouts timeouts);
  // Waits for the first message. From the handler; or RefuseAtOnce.
  void Begin();

  // ClientStream, on the I/O thread. Without effect while a message is awaited.
  void ReadNext() override;

  // On gRPC's threads, one at a time.
  void OnReadDone(bool ok) override;

 private:
  InteractReactor(grpc::CallbackServerContext* context, IoThread& io, std::atomic<uint32_t>& open_calls,
                  Take take, InputTimeouts timeouts)
      : EventStreamReactor(context, io, open_calls), timeouts_(timeouts), take_(std::move(take)) {}
  std::shared_ptr<InteractReactor> Self() {
    return std::static_pointer_cast<InteractReactor>(shared_from_this());
  }
  void TakeMessage(v1::InteractRequest& message);
  void RefuseUndecodable(const grpc::ByteBuffer& bytes);
  void Answer(const grpc::Status& status, Submit submit);
  void HandleTaken(const Submit& submit);
  void Deliver(const v1::InteractRequest& message);
  void HandleInputEnd();
  int64_t DeadlineNanos() const;
  void ArmTimer();
  void CheckDeadline();

  const InputTimeouts timeouts_;
  // Of the read reactions, which gRPC does not let overlap.
  Take take_;  // null once it submitted or refused: what it holds is large
  grpc::ByteBuffer read_buffer_;

  // On the I/O thread only.
  bool reading_ = true;  // Begin starts the first
  bool opened_ = false;
  bool submitted_ = false;
  int64_t begun_ns_ = 0;
  EventLoop::TimerId timer_ = 0;
  int64_t last_message_ns_ = 0;  // until it is submitted
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_INTERACT_REACTOR_H_
