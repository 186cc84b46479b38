// One Execute call: the request came with it, so there is nothing but the answers.
#ifndef CAISSON_DISPATCHER_EXECUTE_REACTOR_H_
#define CAISSON_DISPATCHER_EXECUTE_REACTOR_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "dispatcher/event_stream_reactor.h"

namespace caisson::dispatcher {

class ExecuteReactor final : public EventStreamReactor<grpc::ServerWriteReactor<grpc::ByteBuffer>> {
 public:
  // `open_calls` counts the calls in existence and outlives them.
  static std::shared_ptr<ExecuteReactor> Create(grpc::CallbackServerContext* context, IoThread& io,
                                                std::atomic<uint32_t>& open_calls) {
    std::shared_ptr<ExecuteReactor> reactor(new ExecuteReactor(context, io, open_calls));
    reactor->KeepUntilDone();
    return reactor;
  }

 private:
  using EventStreamReactor::EventStreamReactor;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_EXECUTE_REACTOR_H_
