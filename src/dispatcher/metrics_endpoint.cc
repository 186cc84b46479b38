#include "dispatcher/metrics_endpoint.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/unix_listener.h"

namespace caisson::dispatcher {
namespace {

constexpr int kBacklogAtOnce = 16;
constexpr int64_t kPauseMs = 100;

std::string Answer(const char* status, const std::string& type, const std::string& body) {
  return std::string("HTTP/1.1 ") + status + "\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

std::string Refusal(const char* status) { return Answer(status, "text/plain", std::string(status) + "\n"); }

}  // namespace

std::string AnswerHttp(std::string_view head, const RenderPage& render) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.substr(last + 1, 7) != "HTTP/1.") {
    return Refusal("400 Bad Request");
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (line.substr(0, first) != "GET") {
    return Refusal("405 Method Not Allowed");
  }
  if (target.substr(0, target.find('?')) != "/metrics") {
    return Refusal("404 Not Found");
  }
  return Answer("200 OK", "text/plain; version=0.0.4; charset=utf-8", render());
}

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Listen(EventLoop& loop,
                                                                         const std::string& path,
                                                                         RenderPage render) {
  ASSIGN_OR_RETURN(UniqueFd listener, ListenOn(path));
  std::unique_ptr<MetricsEndpoint> endpoint(
      new MetricsEndpoint(loop, path, std::move(listener), std::move(render)));
  endpoint->Watch();
  return endpoint;
}

MetricsEndpoint::MetricsEndpoint(EventLoop& loop, std::string path, UniqueFd listener, RenderPage render)
    : loop_(loop), path_(std::move(path)), listener_(std::move(listener)), render_(std::move(render)) {}

MetricsEndpoint::~MetricsEndpoint() {
  while (!connections_.empty()) {
    Close(connections_.begin()->first);
  }
  if (pause_ == 0) {
    loop_.Unwatch(listener_.get());
  }
  loop_.Cancel(pause_);
  unlink(path_.c_str());
}

void MetricsEndpoint::Accept() {
  for (int i = 0; i < kBacklogAtOnce; ++i) {
    UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid()) {
      return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? void() : Pause();
    }
    if (connections_.size() >= kMaxConnections) {
      return;  // This one is closed again; the next turn goes on with the others.
    }
    const int fd = client.get();
    if (!loop_.Watch(fd, EPOLLIN, [this, fd](uint32_t /*events*/) { OnReady(fd); }).ok()) {
      return;
    }
    Connection& connection = connections_[fd];
    connection.fd = std::move(client);
    connection.timer = loop_.At(MonotonicNanos() + kTimeoutMs * kNanosPerMilli, [this, fd] { Close(fd); });
  }
}

// Without descriptors the listener would be ready for ever.
void MetricsEndpoint::Pause() {
  loop_.Unwatch(listener_.get());
  pause_ = loop_.At(MonotonicNanos() + kPauseMs * kNanosPerMilli, [this] {
    pause_ = 0;
    Watch();
  });
}

void MetricsEndpoint::Watch() {
  CAISSON_CHECK(loop_.Watch(listener_.get(), EPOLLIN, [this](uint32_t /*events*/) { Accept(); }).ok());
}

void MetricsEndpoint::OnReady(int fd) {
  Connection& connection = connections_.at(fd);
  if (!(connection.answer.empty() ? Receive(connection) : Send(connection))) {
    Close(fd);
  }
}

bool MetricsEndpoint::Receive(Connection& connection) {
  std::array<char, 1024> buffer{};
  const ssize_t got = read(connection.fd.get(), buffer.data(), buffer.size());
  if (got < 0) {
    return errno == EAGAIN || errno == EINTR;
  }
  connection.head.append(buffer.data(), static_cast<size_t>(got));
  const bool complete = connection.head.find("\r\n\r\n") != std::string::npos;
  if (!complete && connection.head.size() > kMaxHeadBytes) {
    connection.answer = Refusal("431 Request Header Fields Too Large");
  } else if (complete) {
    connection.answer = AnswerHttp(connection.head, render_);
  } else {
    return got > 0;
  }
  return loop_.Rewatch(connection.fd.get(), EPOLLOUT).ok() && Send(connection);
}

bool MetricsEndpoint::Send(Connection& connection) {
  const std::string_view left = std::string_view(connection.answer).substr(connection.sent_bytes);
  const ssize_t sent = write(connection.fd.get(), left.data(), left.size());
  if (sent < 0) {
    return errno == EAGAIN || errno == EINTR;
  }
  connection.sent_bytes += static_cast<size_t>(sent);
  return connection.sent_bytes < connection.answer.size();
}

void MetricsEndpoint::Close(int fd) {
  const auto node = connections_.extract(fd);
  if (!node.empty()) {
    loop_.Cancel(node.mapped().timer);
    loop_.Unwatch(fd);
  }
}

}  // namespace caisson::dispatcher
