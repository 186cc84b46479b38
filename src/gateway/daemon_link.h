// The gateway's side of gRPC: one connection to the daemon, made again when it is gone, and a thread that
// waits for its calls and hands what happened to the thread that serves HTTP. Untrusted: nothing; the daemon
// is trusted as far as its messages go.
#ifndef CAISSON_GATEWAY_DAEMON_LINK_H_
#define CAISSON_GATEWAY_DAEMON_LINK_H_

#include <grpcpp/completion_queue.h>
#include <grpcpp/grpcpp.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "caisson/v1/run.grpc.pb.h"
#include "door/connector.h"
#include "gateway/awaitable.h"

namespace caisson::gateway {

// One connection and what speaks over it. Calls that began on it keep it.
class DaemonConnection {
 public:
  // `connection`: a connected, non-blocking socket.
  static absl::StatusOr<std::shared_ptr<DaemonConnection>> Make(UniqueFd connection);

  v1::RunService::Stub& stub() { return *stub_; }
  // The daemon has closed it.
  bool HungUp() const;

 private:
  DaemonConnection() = default;

  UniqueFd watch_;  // the same socket; gRPC owns the other descriptor
  std::unique_ptr<v1::RunService::Stub> stub_;
};

class DaemonLink {
 public:
  // Starts the thread. `on_lost`: the connector is gone; the gateway cannot go on.
  DaemonLink(door::Connector connector, std::function<void()> on_lost);
  // No call may be open any more.
  ~DaemonLink();
  DaemonLink(const DaemonLink&) = delete;
  DaemonLink& operator=(const DaemonLink&) = delete;

  // The connection, or a new one where the last is gone.
  absl::StatusOr<std::shared_ptr<DaemonConnection>> Connection();
  // A call on it ended with UNAVAILABLE of gRPC's own: the next one gets another.
  void Doubt(const std::shared_ptr<DaemonConnection>& connection);
  grpc::CompletionQueue& queue() { return queue_; }

 private:
  void Run();

  door::Connector connector_;
  std::function<void()> on_lost_;
  std::shared_ptr<DaemonConnection> connection_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
};

// What a completion queue's tag is.
class Completion {
 public:
  virtual ~Completion() = default;
  // On the link's thread. True: it is done, and is deleted. False: it has begun another operation with itself
  // as the tag.
  virtual bool Complete(bool ok) = 0;
};

// Starts an operation with `start(tag)` and waits for it: co_await gives gRPC's `ok`. After each operation
// `again(ok, tag)` is asked on the link's thread whether it has begun another one, which is then waited for
// too; it must use nothing that another thread uses meanwhile.
template <typename Start, typename Again>
boost::asio::awaitable<bool> AwaitCompletions(Start start, Again again) {
  // By value: Asio keeps the initiation and runs it when it is waited for, after this function has returned.
  auto initiate = [start = std::move(start), again = std::move(again)](auto handler) {
    using Handler = decltype(handler);
    class Op final : public Completion {
     public:
      Op(Handler handler, Again again)
          : executor_(boost::asio::get_associated_executor(handler)),
            work_(executor_),
            handler_(std::move(handler)),
            again_(std::move(again)) {}
      bool Complete(bool ok) override {
        if (again_(ok, static_cast<void*>(static_cast<Completion*>(this)))) {
          return false;
        }
        boost::asio::post(executor_,
                          [handler = std::move(handler_), ok]() mutable { std::move(handler)(ok); });
        return true;
      }

     private:
      boost::asio::associated_executor_t<Handler> executor_;
      boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
      Handler handler_;
      Again again_;
    };
    start(static_cast<void*>(static_cast<Completion*>(new Op(std::move(handler), again))));
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(bool)>(
      std::move(initiate), boost::asio::use_awaitable);
}

template <typename Start>
boost::asio::awaitable<bool> AwaitCompletion(Start start) {
  return AwaitCompletions(std::move(start), [](bool, void*) { return false; });
}

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_DAEMON_LINK_H_
