#include "common/event_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "common/clock.h"
#include "common/status.h"

namespace caisson {

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) {
    return ErrnoStatus(errno, "epoll_create1");
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll)));
}

absl::Status EventLoop::Watch(int fd, uint32_t events, FdHandler handler) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return ErrnoStatus(errno, "epoll_ctl add");
  }
  watched_[fd] = Watched{next_id_++, std::make_shared<FdHandler>(std::move(handler))};
  return absl::OkStatus();
}

absl::Status EventLoop::Rewatch(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    return ErrnoStatus(errno, "epoll_ctl mod");
  }
  return absl::OkStatus();
}

void EventLoop::Unwatch(int fd) {
  if (watched_.erase(fd) != 0) {
    static_cast<void>(epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr));
  }
}

EventLoop::TimerId EventLoop::At(int64_t deadline_nanos, TimerHandler handler) {
  const TimerId id = next_id_++;
  timers_.emplace(std::make_pair(deadline_nanos, id), std::move(handler));
  timer_deadlines_.emplace(id, deadline_nanos);
  return id;
}

void EventLoop::Cancel(TimerId id) {
  const auto found = timer_deadlines_.find(id);
  if (found != timer_deadlines_.end()) {
    timers_.erase({found->second, id});
    timer_deadlines_.erase(found);
  }
}

int EventLoop::MillisToNextTimer() const {
  if (timers_.empty()) {
    return -1;
  }
  const int64_t left = timers_.begin()->first.first - MonotonicNanos();
  // Rounded up: waking a moment early would only spin.
  const int64_t millis = (left + kNanosPerMilli - 1) / kNanosPerMilli;
  return static_cast<int>(std::clamp<int64_t>(millis, 0, INT_MAX));
}

void EventLoop::FireDueTimers() {
  const int64_t now = MonotonicNanos();
  while (!timers_.empty() && timers_.begin()->first.first <= now && !stopped_) {
    TimerHandler handler = std::move(timers_.begin()->second);
    timer_deadlines_.erase(timers_.begin()->first.second);
    timers_.erase(timers_.begin());
    handler();
  }
}

absl::Status EventLoop::Run() {
  std::array<epoll_event, 64> events{};
  while (!stopped_) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), MillisToNextTimer());
    if (count < 0 && errno != EINTR) {
      return ErrnoStatus(errno, "epoll_wait");
    }
    // A handler may close a descriptor whose number a later handler of this batch reuses; the generation
    // tells.
    std::array<uint64_t, 64> generations{};
    for (int i = 0; i < count; ++i) {
      const auto found = watched_.find(events.at(static_cast<size_t>(i)).data.fd);
      generations.at(static_cast<size_t>(i)) = found == watched_.end() ? 0 : found->second.generation;
    }
    for (int i = 0; i < count && !stopped_; ++i) {
      const epoll_event& event = events.at(static_cast<size_t>(i));
      const auto found = watched_.find(event.data.fd);
      if (found == watched_.end() || found->second.generation != generations.at(static_cast<size_t>(i))) {
        continue;
      }
      const std::shared_ptr<FdHandler> handler = found->second.handler;  // Survives its own Unwatch.
      (*handler)(event.events);
    }
    FireDueTimers();
  }
  return absl::OkStatus();
}

}  // namespace caisson
