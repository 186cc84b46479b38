// caissond's end of the boundary, played by a test: real sockets, real pipes, no sandboxes. For the
// dispatcher's side of the protocol only; the whole is tested with the real caissond in tests/integration.
#ifndef CAISSON_TESTS_UNIT_DISPATCHER_FAKE_SUPERVISOR_H_
#define CAISSON_TESTS_UNIT_DISPATCHER_FAKE_SUPERVISOR_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "common/packet_socket.h"
#include "common/unique_fd.h"
#include "ipc/codec.h"
#include "ipc/messages.h"
#include "ipc/run_streams.h"

namespace caisson::dispatcher {

// The inner ends of one sandbox's pipes.
struct FakeSandbox {
  ipc::SandboxId id = 0;
  UniqueFd stdin_read;
  UniqueFd stdout_write;
  UniqueFd stderr_write;
  UniqueFd events_write;
  UniqueFd outputs_write;

  void CloseOutputs() {
    stdout_write.reset();
    stderr_write.reset();
    events_write.reset();
    outputs_write.reset();
  }
};

class FakeSupervisor {
 public:
  explicit FakeSupervisor(UniqueFd socket) : socket_(std::move(socket)) {}

  // Waits for a request of this type; a default-made one (sandbox 0) if another came, or none within 10 s.
  template <typename M>
  M Expect() {
    auto [request, fd] = Receive();
    bundle_ = std::move(fd);
    return std::holds_alternative<M>(request) ? std::get<M>(request) : M{};
  }
  // Waits for any request, and takes it.
  std::pair<ipc::Request, UniqueFd> Receive();
  // No request comes within 100 ms.
  bool IsSilent();

  FakeSandbox SendPrepared(ipc::SandboxId id);
  // PREPARE, PREPARED, START, STARTED.
  FakeSandbox StartOne();
  void SendFinished(ipc::SandboxId id, ipc::Verdict verdict, ipc::Actor actor, int32_t exit_code = 0);
  template <typename M>
  void Send(const M& message) {
    SendBytes(ipc::AsBytes(message));
  }
  void Close() { socket_.reset(); }

  // Of the last START.
  const UniqueFd& bundle() const { return bundle_; }
  const ipc::Start& last_start() const { return last_start_; }
  const ipc::Prepare& last_prepare() const { return last_prepare_; }

 private:
  void SendBytes(std::span<const std::byte> bytes, std::span<const int> fds = {});

  UniqueFd socket_;
  UniqueFd bundle_;
  ipc::Start last_start_{};
  ipc::Prepare last_prepare_{};
};

// All of it, or the test hangs into its time limit.
void WriteAll(const UniqueFd& fd, const std::string& text);
std::string ReadToEnd(const UniqueFd& fd);

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_UNIT_DISPATCHER_FAKE_SUPERVISOR_H_
