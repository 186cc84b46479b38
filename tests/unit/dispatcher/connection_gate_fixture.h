// The gate with real sockets and a test in gRPC's place.
#ifndef CAISSON_TESTS_UNIT_DISPATCHER_CONNECTION_GATE_FIXTURE_H_
#define CAISSON_TESTS_UNIT_DISPATCHER_CONNECTION_GATE_FIXTURE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "dispatcher/connection_gate.h"
#include "dispatcher/http2_bytes.h"

namespace caisson::dispatcher {

inline constexpr int kPatienceMs = 10'000;
inline const std::string kPrefaceText(http2::kPreface);

inline bool Readable(int fd, int timeout_ms) {
  pollfd waiting{fd, POLLIN, 0};
  return poll(&waiting, 1, timeout_ms) == 1;
}

// Exactly `count` bytes, or fewer if the other side ended.
inline std::string ReadExactly(int fd, size_t count) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < count && Readable(fd, kPatienceMs)) {
    const ssize_t got = read(fd, buffer.data(), std::min(buffer.size(), count - text.size()));
    if (got <= 0) {
      break;
    }
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

inline bool Ended(int fd) {
  char byte = 0;
  return Readable(fd, kPatienceMs) && read(fd, &byte, 1) <= 0;
}

inline void Write(int fd, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    pollfd waiting{fd, POLLOUT, 0};
    ASSERT_EQ(poll(&waiting, 1, kPatienceMs), 1);
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    ASSERT_TRUE(count > 0 || errno == EAGAIN);
    done += count > 0 ? static_cast<size_t>(count) : 0;
  }
}

inline const Caller kCaller{TenantId("alpha"), Role::kObserve};

// The address of the other end, as gRPC writes it.
inline std::string PeerOf(int fd) {
  sockaddr_un address{};
  socklen_t length = sizeof address;
  EXPECT_EQ(getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  EXPECT_GT(length, offsetof(sockaddr_un, sun_path) + 1);
  EXPECT_EQ(address.sun_path[0], '\0');
  return "unix-abstract:" + std::string(&address.sun_path[1], length - offsetof(sockaddr_un, sun_path) - 1);
}

inline std::string Call(uint32_t stream) { return Frame(http2::kHeaders, http2::kEndHeaders, stream, "h"); }

class ConnectionGateTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);  // as the program does
    std::string pattern = testing::TempDir() + "caisson-gate-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    gate_.reset();
    EXPECT_EQ(rmdir(directory_.c_str()), 0);  // so the socket is gone
  }

  void Start(const ConnectionGate::Bounds& bounds, std::vector<uid_t> peers = {}) {
    auto listener = ConnectionGate::ListenOn(path(), caller_);
    ASSERT_TRUE(listener.ok()) << Message(listener.status());
    listener->peers = std::move(peers);
    std::vector<ConnectionGate::Listener> listeners;
    listeners.push_back(std::move(*listener));
    auto gate = ConnectionGate::Create(std::move(listeners), book_, bounds);
    ASSERT_TRUE(gate.ok()) << Message(gate.status());
    gate_ = std::move(*gate);
    gate_->Start([this](UniqueFd end) {
      const std::lock_guard lock(mutex_);
      servers_.push_back(std::move(end));
      came_.notify_all();
    });
  }
  // Of clients who show tokens.
  void StartForTokens(const ConnectionGate::Bounds& bounds) {
    caller_ = Caller{TenantId(""), Role::kByToken};
    Start(bounds);
  }
  // With a second listener, of another tenant, at path() + "2".
  void StartTwo(const ConnectionGate::Bounds& bounds) {
    std::vector<ConnectionGate::Listener> listeners;
    listeners.push_back(std::move(*ConnectionGate::ListenOn(path(), kCaller)));
    listeners.push_back(
        std::move(*ConnectionGate::ListenOn(path() + "2", Caller{TenantId("beta"), Role::kRun})));
    gate_ = std::move(*ConnectionGate::Create(std::move(listeners), book_, bounds));
    gate_->Start([this](UniqueFd end) {
      const std::lock_guard lock(mutex_);
      servers_.push_back(std::move(end));
      came_.notify_all();
    });
  }
  std::string path() const { return directory_ + "/s"; }

  UniqueFd Connect() { return ConnectTo(path()); }
  UniqueFd ConnectTo(const std::string& path) {
    UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return client;
  }
  // gRPC's end of the connection with this number.
  int Server(size_t number) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(came_.wait_for(lock, std::chrono::milliseconds(kPatienceMs),
                               [&] { return servers_.size() > number; }));
    return servers_.at(number).get();
  }

  Caller caller_ = kCaller;
  std::string directory_;
  ConnectionBook book_;
  std::unique_ptr<ConnectionGate> gate_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<UniqueFd> servers_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_TESTS_UNIT_DISPATCHER_CONNECTION_GATE_FIXTURE_H_
