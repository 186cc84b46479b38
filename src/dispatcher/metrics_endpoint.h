// Serves one page over HTTP on a Unix socket, to whoever may open it: GET /metrics, and nothing else. On the
// I/O thread. Untrusted: every byte that comes in; at most 4 KiB of it are looked at, and connections are few
// and short.
#ifndef CAISSON_DISPATCHER_METRICS_ENDPOINT_H_
#define CAISSON_DISPATCHER_METRICS_ENDPOINT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"

namespace caisson::dispatcher {

using RenderPage = std::function<std::string()>;

// The whole answer to a request whose head is `head`, up to its empty line. Pure but for `render`.
std::string AnswerHttp(std::string_view head, const RenderPage& render);

class MetricsEndpoint {
 public:
  static constexpr size_t kMaxConnections = 16;
  static constexpr size_t kMaxHeadBytes = 4096;
  static constexpr int64_t kTimeoutMs = 5'000;  // of a connection, all in all

  // Listens at `path`, whose mode the umask gives.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Listen(EventLoop& loop, const std::string& path,
                                                                 RenderPage render);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

 private:
  struct Connection {
    UniqueFd fd;
    EventLoop::TimerId timer = 0;
    std::string head;
    std::string answer;
    size_t sent_bytes = 0;
  };

  MetricsEndpoint(EventLoop& loop, std::string path, UniqueFd listener, RenderPage render);
  void Watch();
  void Pause();
  void Accept();
  void OnReady(int fd);
  // False: the connection is over.
  bool Receive(Connection& connection);
  bool Send(Connection& connection);
  void Close(int fd);

  EventLoop& loop_;
  const std::string path_;
  UniqueFd listener_;
  const RenderPage render_;
  EventLoop::TimerId pause_ = 0;
  std::map<int, Connection> connections_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_METRICS_ENDPOINT_H_
