#include "dispatcher/output_collector.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "common/status.h"

namespace caisson::dispatcher {

absl::Status OutputCollector::Start(UniqueFd pipe) {
  if (fcntl(pipe.get(), F_SETFL, O_NONBLOCK) != 0) {
    return ErrnoStatus(errno, "make the pipe of output files non-blocking");
  }
  pipe_ = std::move(pipe);
  return absl::OkStatus();
}

// As with output pumps, a paused pipe leaves epoll altogether: its hang-up would spin.
void OutputCollector::SetWatched(bool watched) {
  if (watched == watched_ || !pipe_.valid()) {
    return;
  }
  watched_ = watched;
  if (watched) {
    // Fails only without memory or beyond the limit of epoll watches; the run could not go on.
    const absl::Status status = loop_.Watch(pipe_.get(), EPOLLIN, [this](uint32_t /*events*/) { OnReady(); });
    CAISSON_CHECK(status.ok());
  } else {
    loop_.Unwatch(pipe_.get());
  }
}

void OutputCollector::Resume() {
  if (handlers_.has_room()) {
    SetWatched(true);
  }
}

void OutputCollector::Close() {
  SetWatched(false);
  pipe_.reset();
}

void OutputCollector::OnReady() {
  if (!handlers_.has_room()) {
    SetWatched(false);
    return;
  }
  const ssize_t got = read(pipe_.get(), scratch_.data(), scratch_.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got > 0) {
    violation_ = decoder_.Feed(std::as_bytes(scratch_.first(static_cast<size_t>(got))));
  }
  if (got <= 0 || !violation_.ok()) {
    Close();
    handlers_.on_end();
  }
}

}  // namespace caisson::dispatcher
