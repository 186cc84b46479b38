#include "dispatcher/stdin_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/status.h"

namespace caisson::dispatcher {

void StdinWriter::Stream(std::function<void()> on_drained) {
  more_ = true;
  on_drained_ = std::move(on_drained);
}

absl::Status StdinWriter::Start(UniqueFd pipe) {
  RETURN_IF_ERROR(pipe_.Take(std::move(pipe), "input pipe"));
  Write();
  return absl::OkStatus();
}

void StdinWriter::Append(std::string_view data) {
  if (closed_ || !more_) {
    return;
  }
  data_.erase(0, written_);
  written_ = 0;
  data_.append(data);
  if (pipe_.valid() && !pipe_.watched()) {
    Write();
  }
}

void StdinWriter::End() {
  more_ = false;
  if (pipe_.valid() && !pipe_.watched()) {
    Write();
  }
}

void StdinWriter::Write() {
  while (written_ < data_.size()) {
    const ssize_t wrote = write(pipe_.get(), data_.data() + written_, data_.size() - written_);
    if (wrote < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno == EAGAIN) {
        pipe_.SetWatched(true);
        return;
      }
      more_ = false;
      break;  // EPIPE: nobody reads it any more (SIGPIPE is ignored).
    }
    written_ += static_cast<size_t>(wrote);
    first_left_ -= std::min(first_left_, static_cast<size_t>(wrote));
  }
  if (!more_) {
    Close();
    return;
  }
  pipe_.SetWatched(false);
  data_.clear();
  written_ = 0;
  on_drained_();
}

void StdinWriter::Close() {
  pipe_.Close();
  std::string().swap(data_);
  written_ = 0;
  first_left_ = 0;
  closed_ = true;
}

}  // namespace caisson::dispatcher
