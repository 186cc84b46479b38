#include "dispatcher/stdin_writer.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "common/status.h"

namespace caisson::dispatcher {

absl::Status StdinWriter::Start(UniqueFd pipe) {
  if (fcntl(pipe.get(), F_SETFL, O_NONBLOCK) != 0) {
    return ErrnoStatus(errno, "make the input pipe non-blocking");
  }
  pipe_ = std::move(pipe);
  Write();
  if (!pipe_.valid()) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(loop_.Watch(pipe_.get(), EPOLLOUT, [this](uint32_t /*events*/) { Write(); }));
  watched_ = true;
  return absl::OkStatus();
}

void StdinWriter::Write() {
  while (written_ < data_.size()) {
    const ssize_t wrote = write(pipe_.get(), data_.data() + written_, data_.size() - written_);
    if (wrote < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno == EAGAIN) {
        return;
      }
      break;  // EPIPE: nobody reads it any more (SIGPIPE is ignored).
    }
    written_ += static_cast<size_t>(wrote);
  }
  Close();
}

void StdinWriter::Close() {
  if (watched_) {
    loop_.Unwatch(pipe_.get());
    watched_ = false;
  }
  pipe_.reset();
  std::string().swap(data_);
  written_ = 0;
}

}  // namespace caisson::dispatcher
