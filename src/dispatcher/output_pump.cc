#include "dispatcher/output_pump.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/status.h"

namespace caisson::dispatcher {

absl::Status OutputPump::Start(UniqueFd pipe) {
  RETURN_IF_ERROR(pipe_.Take(std::move(pipe), "output pipe"));
  pipe_.SetWatched(true);
  return absl::OkStatus();
}

void OutputPump::Resume() {
  if (discarding_ || handlers_.has_room()) {
    pipe_.SetWatched(true);
  }
}

void OutputPump::Discard() {
  discarding_ = true;
  pipe_.SetWatched(true);
}

void OutputPump::OnReady() {
  if (discarding_ || count_.delivered_bytes >= limit_bytes_) {
    DropChunk();
  } else if (handlers_.has_room()) {
    ReadChunk();
  } else {
    pipe_.SetWatched(false);
  }
}

void OutputPump::ReadChunk() {
  const ssize_t got = read(pipe_.get(), resources_.scratch.data(), resources_.scratch.size());
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      End();
    }
    return;
  }
  const auto bytes = static_cast<uint64_t>(got);
  const uint64_t offset = count_.bytes;
  const uint64_t kept = std::min(bytes, limit_bytes_ - count_.delivered_bytes);
  count_.bytes += bytes;
  count_.delivered_bytes += kept;
  handlers_.on_data(offset, std::string(resources_.scratch.data(), kept));
  CheckLimit();
}

// splice(2) to /dev/null counts without copying: a payload that goes on printing costs us next to nothing.
void OutputPump::DropChunk() {
  ssize_t got = splice(pipe_.get(), nullptr, resources_.discard, nullptr, kMaxChunkBytes, SPLICE_F_NONBLOCK);
  if (got < 0 && errno == EINVAL) {
    // KERNEL: a terminal cannot be spliced everywhere.
    got = read(pipe_.get(), resources_.scratch.data(), resources_.scratch.size());
  }
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      End();
    }
    return;
  }
  count_.bytes += static_cast<uint64_t>(got);
  CheckLimit();
}

void OutputPump::CheckLimit() {
  if (!count_.truncated && count_.bytes > limit_bytes_) {
    count_.truncated = true;
    handlers_.on_limit();
  }
}

void OutputPump::End() {
  Close();
  handlers_.on_end();
}

}  // namespace caisson::dispatcher
