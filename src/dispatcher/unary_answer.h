// The end of a unary call that is taken raw (small_message.h). Runs in caisson-dispatcher.
#ifndef CAISSON_DISPATCHER_UNARY_ANSWER_H_
#define CAISSON_DISPATCHER_UNARY_ANSWER_H_

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "dispatcher/small_message.h"

namespace caisson::dispatcher {

// Finishes a call with a message, or with what it was refused with. Any thread; once.
class UnaryAnswer {
 public:
  UnaryAnswer(grpc::CallbackServerContext* context, grpc::ByteBuffer* response)
      : reactor_(context->DefaultReactor()), response_(response) {}
  // The call counts in `open_calls` until it is answered.
  UnaryAnswer(grpc::CallbackServerContext* context, grpc::ByteBuffer* response,
              std::atomic<uint32_t>& open_calls)
      : UnaryAnswer(context, response) {
    open_calls.fetch_add(1, std::memory_order_relaxed);
    counted_ = std::shared_ptr<void>(
        nullptr, [&open_calls](void*) { open_calls.fetch_sub(1, std::memory_order_relaxed); });
  }

  void operator()(const grpc::Status& status, const google::protobuf::Message& message) const {
    reactor_->Finish(status.ok() ? WriteResponse(message, *response_) : status);
  }
  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

 private:
  grpc::ServerUnaryReactor* reactor_;  // gRPC's, as long as the call is not finished
  grpc::ByteBuffer* response_;
  std::shared_ptr<void> counted_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_UNARY_ANSWER_H_
