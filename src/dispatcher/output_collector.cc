#include "dispatcher/output_collector.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/status.h"

namespace caisson::dispatcher {

absl::Status OutputCollector::Start(UniqueFd pipe) {
  return pipe_.Take(std::move(pipe), "pipe of output files");
}

void OutputCollector::Resume() {
  if (handlers_.has_room()) {
    pipe_.SetWatched(true);
  }
}

void OutputCollector::OnReady() {
  if (!handlers_.has_room()) {
    pipe_.SetWatched(false);
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
