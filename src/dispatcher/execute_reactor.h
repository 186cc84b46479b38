// One Execute call as gRPC's callback API sees it. Reactions come on gRPC's threads and only post to the I/O
// thread, where all state is.
#ifndef CAISSON_DISPATCHER_EXECUTE_REACTOR_H_
#define CAISSON_DISPATCHER_EXECUTE_REACTOR_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "dispatcher/client_stream.h"
#include "dispatcher/io_thread.h"

namespace caisson::dispatcher {

// Writes serialized RunEvents. gRPC owns it until OnDone by way of `self_`; the run and posted tasks share
// it.
class ExecuteReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                             public ClientStream,
                             public std::enable_shared_from_this<ExecuteReactor> {
 public:
  // `open_calls` counts the calls in existence and outlives them.
  static std::shared_ptr<ExecuteReactor> Create(grpc::CallbackServerContext* context, IoThread& io,
                                                std::atomic<uint32_t>& open_calls);
  ~ExecuteReactor() override;

  // ClientStream, on the I/O thread.
  void SetOwner(std::weak_ptr<ClientStreamOwner> owner) override { owner_ = std::move(owner); }
  bool gone() const override { return gone_; }
  void Write(const v1::RunEvent& event) override;
  void Finish(const grpc::Status& status) override;
  void Abort() override;

  // Refuses the call before any run exists. From the handler itself, in place of everything above.
  void RefuseAtOnce(const grpc::Status& status);

  // Reactions, on gRPC's threads.
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  ExecuteReactor(grpc::CallbackServerContext* context, IoThread& io, std::atomic<uint32_t>& open_calls)
      : context_(context), io_(io), open_calls_(open_calls) {}
  void HandleGone(GoneReason reason);
  void FinishOnce(const grpc::Status& status);

  grpc::CallbackServerContext* const context_;  // gRPC's; not to be touched once Finish was called
  IoThread& io_;
  std::atomic<uint32_t>& open_calls_;
  const std::chrono::system_clock::time_point created_ = std::chrono::system_clock::now();
  std::shared_ptr<ExecuteReactor> self_;

  // On the I/O thread only (and in the handler, before anything is posted).
  std::weak_ptr<ClientStreamOwner> owner_;
  grpc::ByteBuffer buffer_;
  bool writing_ = false;
  bool finished_ = false;
  bool gone_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_EXECUTE_REACTOR_H_
