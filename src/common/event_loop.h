// The event loop of the single-threaded programs: descriptors, and timers on the monotonic clock.
#ifndef CAISSON_COMMON_EVENT_LOOP_H_
#define CAISSON_COMMON_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson {

// Level-triggered epoll with timers. Not thread-safe: one thread makes it, feeds it and runs it.
// Handlers may watch, unwatch, set and cancel anything, themselves included, and stop the loop.
class EventLoop {
 public:
  using FdHandler = std::function<void(uint32_t events)>;  // EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR, EPOLLPRI
  using TimerHandler = std::function<void()>;
  // Opaque; 0 is never handed out.
  using TimerId = uint64_t;

  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `handler` while `fd` has any of `events`. The caller keeps ownership and must Unwatch before
  // closing.
  absl::Status Watch(int fd, uint32_t events, FdHandler handler);
  absl::Status Rewatch(int fd, uint32_t events);
  void Unwatch(int fd);

  // Calls `handler` once at `deadline_nanos` (MonotonicNanos) or soon after.
  TimerId At(int64_t deadline_nanos, TimerHandler handler);
  void Cancel(TimerId id);

  // Runs until Stop(). With no timer set it sleeps without any periodic wake-up.
  absl::Status Run();
  void Stop() { stopped_ = true; }

 private:
  struct Watched {
    uint64_t generation;
    std::shared_ptr<FdHandler> handler;
  };

  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  int MillisToNextTimer() const;
  void FireDueTimers();

  UniqueFd epoll_;
  bool stopped_ = false;
  uint64_t next_id_ = 1;
  std::unordered_map<int, Watched> watched_;
  std::map<std::pair<int64_t, TimerId>, TimerHandler> timers_;
  std::unordered_map<TimerId, int64_t> timer_deadlines_;
};

}  // namespace caisson

#endif  // CAISSON_COMMON_EVENT_LOOP_H_
