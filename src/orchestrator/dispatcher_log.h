// The dispatcher's standard error: a pipe that caissond reads, so that a dispatcher under somebody else's
// control can neither truncate the log nor write lines that look like caissond's.
#ifndef CAISSON_ORCHESTRATOR_DISPATCHER_LOG_H_
#define CAISSON_ORCHESTRATOR_DISPATCHER_LOG_H_

#include <spdlog/logger.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "orchestrator/log_lines.h"

namespace caisson::orchestrator {

// What is read in a second; then the dispatcher has to wait with its next line.
inline constexpr uint64_t kDispatcherLogBytesPerSecond = 1 << 20;

// Never blocks. Not thread-safe: the event loop's thread only.
class DispatcherLog {
 public:
  DispatcherLog(EventLoop& loop, std::shared_ptr<spdlog::logger> logger);
  DispatcherLog(const DispatcherLog&) = delete;
  DispatcherLog& operator=(const DispatcherLog&) = delete;
  ~DispatcherLog();

  // Reads from the pipe of a new dispatcher; what is left of an earlier one's is dropped with its pipe.
  absl::Status Attach(UniqueFd pipe);
  // The dispatcher is dead: takes what is left in the pipe, one bounded read more, and closes it.
  void Drain();

 private:
  void OnReadable();
  // The result of one read: 0 at the end, negative when there is nothing.
  ssize_t ReadSome();
  void Pause();
  void FlushLater();
  void Close();

  EventLoop& loop_;
  std::shared_ptr<spdlog::logger> logger_;
  UniqueFd pipe_;
  LogLines lines_;
  int64_t window_begin_nanos_ = 0;
  uint64_t window_bytes_ = 0;
  EventLoop::TimerId resume_timer_ = 0;
  EventLoop::TimerId flush_timer_ = 0;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_DISPATCHER_LOG_H_
