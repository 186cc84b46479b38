// A pipe or terminal of a run and whether the I/O thread waits for it. Runs on the I/O thread.
#ifndef CAISSON_DISPATCHER_WATCHED_FD_H_
#define CAISSON_DISPATCHER_WATCHED_FD_H_

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "common/event_loop.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::dispatcher {

class WatchedFd {
 public:
  // Calls `on_ready` while the descriptor has any of `events` (epoll_ctl(2)) and is watched.
  WatchedFd(EventLoop& loop, uint32_t events, std::function<void()> on_ready)
      : loop_(loop), events_(events), on_ready_(std::move(on_ready)) {}
  ~WatchedFd() { Close(); }
  WatchedFd(const WatchedFd&) = delete;
  WatchedFd& operator=(const WatchedFd&) = delete;

  // Makes it non-blocking; it is not watched yet. `what` it is, for the error.
  absl::Status Take(UniqueFd fd, const std::string& what) {
    if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) {
      return ErrnoStatus(errno, "make the " + what + " non-blocking");
    }
    fd_ = std::move(fd);
    return absl::OkStatus();
  }

  // One that waits for somebody else leaves epoll altogether: a hang-up is reported whatever was asked for,
  // and would spin. Without a descriptor nothing happens.
  void SetWatched(bool watched) {
    if (watched == watched_ || !fd_.valid()) {
      return;
    }
    watched_ = watched;
    if (watched) {
      // Fails only without memory or beyond the limit of epoll watches; the run could not go on.
      CAISSON_CHECK(loop_.Watch(fd_.get(), events_, [this](uint32_t /*events*/) { on_ready_(); }).ok());
    } else {
      loop_.Unwatch(fd_.get());
    }
  }

  void Close() {
    SetWatched(false);
    fd_.reset();
  }

  bool valid() const { return fd_.valid(); }
  bool watched() const { return watched_; }
  int get() const { return fd_.get(); }

 private:
  EventLoop& loop_;
  const uint32_t events_;
  const std::function<void()> on_ready_;
  UniqueFd fd_;
  bool watched_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_WATCHED_FD_H_
