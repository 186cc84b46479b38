#include "dispatcher/fake_supervisor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr int kTimeoutMs = 10'000;

bool WaitReadable(const UniqueFd& fd, int timeout_ms) {
  pollfd waiting{fd.get(), POLLIN, 0};
  return poll(&waiting, 1, timeout_ms) == 1;
}

std::pair<UniqueFd, UniqueFd> MakePipe() {
  std::array<int, 2> ends{};
  CAISSON_CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

std::pair<ipc::Request, UniqueFd> FakeSupervisor::Receive() {
  if (!WaitReadable(socket_, kTimeoutMs)) {
    ADD_FAILURE() << "no request came";
    return {};
  }
  auto packet = ReceivePacket(socket_.get());
  if (!packet.ok()) {
    ADD_FAILURE() << Message(packet.status());
    return {};
  }
  auto request = ipc::DecodeRequest(packet->bytes, packet->fds.size());
  if (!request.ok()) {
    ADD_FAILURE() << Message(request.status());
    return {};
  }
  return {*request, packet->fds.empty() ? UniqueFd() : std::move(packet->fds[0])};
}

bool FakeSupervisor::IsSilent() { return !WaitReadable(socket_, 100); }

FakeSandbox FakeSupervisor::SendPrepared(ipc::SandboxId id) {
  auto [stdin_read, stdin_write] = MakePipe();
  auto [stdout_read, stdout_write] = MakePipe();
  auto [stderr_read, stderr_write] = MakePipe();
  auto [events_read, events_write] = MakePipe();
  auto [outputs_read, outputs_write] = MakePipe();
  auto prepared = ipc::Make<ipc::Prepared>();
  prepared.sandbox = id;
  prepared.setup_ns = 1'000'000;
  prepared.isolation.root = ipc::RootKind::kHost;
  const std::array fds = {stdin_write.get(), stdout_read.get(), stderr_read.get(), events_read.get(),
                          outputs_read.get()};
  SendBytes(ipc::AsBytes(prepared), fds);
  return {id,
          std::move(stdin_read),
          std::move(stdout_write),
          std::move(stderr_write),
          std::move(events_write),
          std::move(outputs_write)};
}

FakeSandbox FakeSupervisor::StartOne() {
  last_prepare_ = Expect<ipc::Prepare>();
  EXPECT_NE(last_prepare_.sandbox, 0U);
  FakeSandbox sandbox = SendPrepared(last_prepare_.sandbox);
  last_start_ = Expect<ipc::Start>();
  EXPECT_EQ(last_start_.sandbox, sandbox.id);
  auto started = ipc::Make<ipc::Started>();
  started.sandbox = sandbox.id;
  started.isolation.payload_host_uid = 4711;
  started.isolation.root = ipc::RootKind::kHost;
  Send(started);
  return sandbox;
}

void FakeSupervisor::SendFinished(ipc::SandboxId id, ipc::Verdict verdict, ipc::Actor actor,
                                  int32_t exit_code) {
  auto finished = ipc::Make<ipc::Finished>();
  finished.sandbox = id;
  finished.verdict = verdict;
  finished.ended_by = actor;
  finished.exited = verdict == ipc::Verdict::kCompleted ? 1 : 0;
  finished.exit_code = exit_code;
  finished.violation_syscall = -1;
  Send(finished);
}

void FakeSupervisor::SendBytes(std::span<const std::byte> bytes, std::span<const int> fds) {
  const absl::Status status = SendPacket(socket_.get(), bytes, fds);
  EXPECT_TRUE(status.ok()) << Message(status);
}

void WriteAll(const UniqueFd& fd, const std::string& text) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t now = write(fd.get(), text.data() + written, text.size() - written);
    ASSERT_GT(now, 0);
    written += static_cast<size_t>(now);
  }
}

std::string ReadToEnd(const UniqueFd& fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(fd.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

}  // namespace caisson::dispatcher
