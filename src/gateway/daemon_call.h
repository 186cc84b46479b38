// One call of the daemon's API, of either kind, as something to wait for. Whoever begins one waits for its
// end: what it uses must outlive it.
#ifndef CAISSON_GATEWAY_DAEMON_CALL_H_
#define CAISSON_GATEWAY_DAEMON_CALL_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "gateway/awaitable.h"
#include "gateway/daemon_link.h"
#include "gateway/forwarded.h"
#include "gateway/problem.h"

namespace caisson::gateway {

// gRPC's own word that the connection is no good, not the daemon's, which has details.
inline bool IsConnectionLost(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty();
}

inline Problem Unreachable(const std::string& detail) {
  Problem problem = Refuse(Refusal::kDaemonUnreachable, detail);
  problem.retry_after_ms = 1'000;
  return problem;
}

// The problem of a call that failed.
inline Problem ProblemOfCall(const grpc::Status& status) {
  return IsConnectionLost(status)
             ? Unreachable("the connection to the daemon was lost: " + status.error_message())
             : FromStatus(status);
}

// `prepare`: one of the stub's PrepareAsync functions. Nothing, and `answer` filled, or why not.
template <typename Prepare, typename Request, typename Reply>
boost::asio::awaitable<std::optional<Problem>> CallDaemon(DaemonLink& link, Prepare prepare,
                                                          const Forwarded& forwarded, const Request& request,
                                                          Reply& answer, std::chrono::milliseconds time) {
  const absl::StatusOr<std::shared_ptr<DaemonConnection>> connection = link.Connection();
  if (!connection.ok()) {
    co_return Unreachable(Message(connection.status()));
  }
  grpc::ClientContext context;
  Forward(forwarded, context);
  context.set_deadline(std::chrono::system_clock::now() + time);
  const std::unique_ptr<grpc::ClientAsyncResponseReader<Reply>> call =
      ((*connection)->stub().*prepare)(&context, request, &link.queue());
  call->StartCall();
  grpc::Status status;
  co_await AwaitCompletion([&](void* tag) { call->Finish(&answer, &status, tag); });
  if (status.ok()) {
    co_return std::nullopt;
  }
  if (IsConnectionLost(status)) {
    link.Doubt(*connection);
  }
  co_return ProblemOfCall(status);
}

// A call that answers with events; `Stream` is gRPC's side of it.
template <typename Stream>
class StreamCall {
 public:
  // False at the end of the events; Finish says of what kind it is.
  boost::asio::awaitable<bool> Next(v1::RunEvent& event) {
    co_return co_await AwaitCompletion([&](void* tag) { stream_->Read(&event, tag); });
  }

  // Must be waited for once, after Start, when nothing else of the call is waited for any more.
  boost::asio::awaitable<grpc::Status> Finish() {
    grpc::Status status;
    co_await AwaitCompletion([&](void* tag) { stream_->Finish(&status, tag); });
    Judge(status);
    co_return status;
  }

  // From any thread, at any time: what is waited for ends soon.
  void Cancel() { context_.TryCancel(); }

 protected:
  StreamCall(DaemonLink& link, std::shared_ptr<DaemonConnection> connection, const Forwarded& forwarded)
      : link_(link), connection_(std::move(connection)) {
    Forward(forwarded, context_);
  }
  ~StreamCall() = default;

  void Judge(const grpc::Status& status) {
    if (IsConnectionLost(status)) {
      link_.Doubt(connection_);
    }
  }

  DaemonLink& link_;
  std::shared_ptr<DaemonConnection> connection_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
};

// Execute or FollowRun.
class EventCall : public StreamCall<grpc::ClientAsyncReader<v1::RunEvent>> {
 public:
  EventCall(DaemonLink& link, std::shared_ptr<DaemonConnection> connection, const Forwarded& forwarded)
      : StreamCall(link, std::move(connection), forwarded) {}

  // `prepare`: PrepareAsyncExecute or PrepareAsyncFollowRun.
  template <typename Prepare, typename Request>
  boost::asio::awaitable<void> Start(Prepare prepare, const Request& request) {
    stream_ = (connection_->stub().*prepare)(&context_, request, &link_.queue());
    co_await AwaitCompletion([&](void* tag) { stream_->StartCall(tag); });
  }

  // For those who need no event before the others: the first one alone, so that it is known that there is
  // one, then as many as come until they fill a batch or the call has ended, read on gRPC's thread without
  // waking ours for each. False, with none: the call has ended and `status` says how; Finish must not be
  // called.
  boost::asio::awaitable<bool> Gather(std::vector<v1::RunEvent>& events, grpc::Status& status) {
    events.clear();
    if (!ended_) {
      size_t bytes = 0;
      const auto read = [&](void* tag) { stream_->Read(&events.emplace_back(), tag); };
      const auto again = [&](bool ok, void* tag) {
        if (ended_) {
          return false;
        }
        if (!ok) {
          ended_ = true;
          events.pop_back();
          stream_->Finish(&status_, tag);
          return true;
        }
        bytes += events.back().ByteSizeLong();
        const bool full = bytes >= kBatchBytes || events.size() >= kBatchEvents;
        if (full || !began_) {
          return false;
        }
        read(tag);
        return true;
      };
      co_await AwaitCompletions(read, again);
      began_ = true;
    }
    if (!events.empty()) {
      co_return true;
    }
    status = status_;
    Judge(status);
    co_return false;
  }

 private:
  // Where a batch ends, with the event that reaches it.
  static constexpr size_t kBatchBytes = size_t{64} << 10U;
  static constexpr size_t kBatchEvents = 256;

  // Of Gather, written on gRPC's thread while ours waits for it.
  grpc::Status status_;
  bool began_ = false;
  bool ended_ = false;
};

// Interact. One Write and one Next may be waited for at a time.
class InteractCall : public StreamCall<grpc::ClientAsyncReaderWriter<v1::InteractRequest, v1::RunEvent>> {
 public:
  InteractCall(DaemonLink& link, std::shared_ptr<DaemonConnection> connection, const Forwarded& forwarded)
      : StreamCall(link, std::move(connection), forwarded) {}

  boost::asio::awaitable<void> Start() {
    stream_ = connection_->stub().PrepareAsyncInteract(&context_, &link_.queue());
    co_await AwaitCompletion([&](void* tag) { stream_->StartCall(tag); });
  }

  // False: the call is over, and Next says so too. True as soon as there is room for another message on the
  // way to the daemon.
  boost::asio::awaitable<bool> Write(const v1::InteractRequest& message) {
    co_return co_await AwaitCompletion([&](void* tag) { stream_->Write(message, tag); });
  }
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_DAEMON_CALL_H_
