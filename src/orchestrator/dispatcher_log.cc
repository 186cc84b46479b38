// Run by caissond as root, in the event loop's thread. Untrusted input: every byte of the pipe.
#include "orchestrator/dispatcher_log.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

constexpr int64_t kSecondNanos = 1'000 * kNanosPerMilli;
constexpr size_t kReadBytes = 16'384;
constexpr size_t kMostLeftBytes = 1 << 20;  // the largest pipe there is without a privilege

}  // namespace

DispatcherLog::DispatcherLog(EventLoop& loop, std::shared_ptr<spdlog::logger> logger)
    : loop_(loop), logger_(std::move(logger)) {}

DispatcherLog::~DispatcherLog() {
  Close();
  loop_.Cancel(flush_timer_);
}

absl::Status DispatcherLog::Attach(UniqueFd pipe) {
  Close();
  lines_ = LogLines();
  pipe_ = std::move(pipe);
  return loop_.Watch(pipe_.get(), EPOLLIN, [this](uint32_t) { OnReadable(); });
}

void DispatcherLog::OnReadable() {
  const int64_t now = MonotonicNanos();
  if (now - window_begin_nanos_ >= kSecondNanos) {
    window_begin_nanos_ = now;
    window_bytes_ = 0;
  }
  // One read a turn, so that a flood cannot keep the loop from its deadlines.
  const ssize_t got = ReadSome();
  if (got == 0) {
    return Close();
  }
  window_bytes_ += static_cast<uint64_t>(got > 0 ? got : 0);
  if (window_bytes_ >= kDispatcherLogBytesPerSecond) {
    Pause();
  }
}

ssize_t DispatcherLog::ReadSome() {
  std::array<char, kReadBytes> buffer{};
  const ssize_t got = read(pipe_.get(), buffer.data(), buffer.size());
  std::vector<LogLine> lines;
  if (got > 0) {
    lines_.Feed({buffer.data(), static_cast<size_t>(got)}, lines);
  } else if (got == 0) {
    lines_.Finish(lines);
  }
  for (const LogLine& line : lines) {
    logger_->log(line.level, line.text);
  }
  if (!lines.empty()) {
    FlushLater();
  }
  return got;
}

void DispatcherLog::Pause() {
  loop_.Unwatch(pipe_.get());
  resume_timer_ = loop_.At(window_begin_nanos_ + kSecondNanos, [this] {
    resume_timer_ = 0;
    if (!loop_.Watch(pipe_.get(), EPOLLIN, [this](uint32_t) { OnReadable(); }).ok()) {
      Close();
    }
  });
}

// Once the second is over, so that the log says what was dropped even if nothing more comes.
void DispatcherLog::FlushLater() {
  if (flush_timer_ == 0) {
    flush_timer_ = loop_.At(MonotonicNanos() + kSecondNanos, [this] {
      flush_timer_ = 0;
      logger_->flush();
    });
  }
}

void DispatcherLog::Drain() {
  for (size_t taken = 0; pipe_.valid() && taken < kMostLeftBytes;) {
    const ssize_t got = ReadSome();
    if (got <= 0) {
      break;
    }
    taken += static_cast<size_t>(got);
  }
  Close();
}

void DispatcherLog::Close() {
  loop_.Cancel(resume_timer_);
  resume_timer_ = 0;
  if (pipe_.valid()) {
    loop_.Unwatch(pipe_.get());
    pipe_.reset();
  }
}

}  // namespace caisson::orchestrator
