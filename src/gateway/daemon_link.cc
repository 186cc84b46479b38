#include "gateway/daemon_link.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <poll.h>

#include <cerrno>

#include "common/status.h"

namespace caisson::gateway {
namespace {

// A page of runs ends at 1 MiB, or after the first run; one has at most 4 MiB.
constexpr int kMaxReceiveBytes = 17 * 1024 * 1024;

}  // namespace

absl::StatusOr<std::shared_ptr<DaemonConnection>> DaemonConnection::Make(UniqueFd connection) {
  std::shared_ptr<DaemonConnection> made(new DaemonConnection());
  made->watch_ = UniqueFd(fcntl(connection.get(), F_DUPFD_CLOEXEC, 0));
  if (!made->watch_.valid()) {
    return ErrnoStatus(errno, "duplicate the connection to the daemon");
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // A run must not be started twice behind the client's back.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // Windows that grow with the connection's speed would hold megabytes of each run whose client does not
  // read.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  made->stub_ = v1::RunService::NewStub(
      grpc::CreateCustomInsecureChannelFromFd("caisson", connection.release(), arguments));
  return made;
}

bool DaemonConnection::HungUp() const {
  pollfd state{watch_.get(), POLLRDHUP, 0};
  return poll(&state, 1, 0) != 0;
}

DaemonLink::DaemonLink(door::Connector connector, std::function<void()> on_lost)
    : connector_(std::move(connector)), on_lost_(std::move(on_lost)), thread_([this] { Run(); }) {}

DaemonLink::~DaemonLink() {
  queue_.Shutdown();
  thread_.join();
}

absl::StatusOr<std::shared_ptr<DaemonConnection>> DaemonLink::Connection() {
  if (connection_ != nullptr && !connection_->HungUp()) {
    return connection_;
  }
  connection_ = nullptr;
  absl::StatusOr<UniqueFd> socket = connector_.Connect(0);
  if (!socket.ok()) {
    if (absl::IsAborted(socket.status())) {
      on_lost_();
    }
    return socket.status();
  }
  ASSIGN_OR_RETURN(connection_, DaemonConnection::Make(*std::move(socket)));
  return connection_;
}

void DaemonLink::Doubt(const std::shared_ptr<DaemonConnection>& connection) {
  if (connection_ == connection) {
    connection_ = nullptr;
  }
}

void DaemonLink::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    std::unique_ptr<Completion> completion(static_cast<Completion*>(tag));
    if (!completion->Complete(ok)) {
      static_cast<void>(completion.release());  // the queue has it again
    }
  }
}

}  // namespace caisson::gateway
