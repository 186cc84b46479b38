// The client's end of one run, as the run sees it. The run and its client live and end independently.
#ifndef CAISSON_DISPATCHER_CLIENT_STREAM_H_
#define CAISSON_DISPATCHER_CLIENT_STREAM_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>

#include "caisson/v1/run.pb.h"

namespace caisson::dispatcher {

enum class GoneReason : uint8_t { kDisconnected, kDeadline };

// Hears of the client; on the I/O thread.
class ClientStreamOwner {
 public:
  virtual ~ClientStreamOwner() = default;
  // The event given to Write has left us; the next may follow.
  virtual void OnWritten() = 0;
  // An interactive client's next message; ReadNext asks for the one after it.
  virtual void OnInput(const v1::InteractRequest& message) = 0;
  // An interactive client sends no more.
  virtual void OnInputEnd() = 0;
  // The client is no longer there. Nothing comes after this.
  virtual void OnGone(GoneReason reason) = 0;
};

// On the I/O thread only.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual void SetOwner(std::weak_ptr<ClientStreamOwner> owner) = 0;
  virtual bool gone() const = 0;
  // It is no client's connection: what comes is stored.
  virtual bool stores() const { return false; }
  // Whether an event may wait for the next one, and leave with it. Never the first: gRPC tells of it only
  // when it has left.
  enum class Leaves : uint8_t { kAtOnce, kWithNext };
  // One event at a time: the next after OnWritten.
  virtual void Write(const v1::RunEvent& event, Leaves leaves) = 0;
  // The last event and the end of the call, successful, in one. The last call; nothing is being written.
  virtual void WriteLast(const v1::RunEvent& event) = 0;
  // An interactive client's next message may come. Others never send one.
  virtual void ReadNext() {}
  // The last call; nothing is being written.
  virtual void Finish(const grpc::Status& status) = 0;
  // Ends the call of a client that does not read. The last call.
  virtual void Abort() = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CLIENT_STREAM_H_
