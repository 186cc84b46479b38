// The part of a Session that watches what a running payload uses up. Run by caissond as root, in the event
// loop's thread.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "common/clock.h"
#include "common/status.h"
#include "orchestrator/held_locks.h"
#include "orchestrator/session.h"
#include "orchestrator/socket_count.h"

namespace caisson::orchestrator {
namespace {

constexpr int64_t kLeastCpuCheckNanos = 5 * kNanosPerMilli;
constexpr int64_t kFirstMemorySampleNanos = 10 * kNanosPerMilli;
constexpr int64_t kLongestMemoryIntervalNanos = 5'120 * kNanosPerMilli;

}  // namespace

void Session::OnWallDeadline() { End(EndCause::kWallDeadline); }

void Session::OnOom() {
  uint64_t count = 0;
  if (read(sandbox_.cgroup->oom_event_fd(), &count, sizeof count) == sizeof count) {
    End(EndCause::kOom);
  }
}

// The CPU time is a sum over all processes, init among them, since START, for which the kernel has no timer:
// look when it could be used up at the earliest. A quota does not slow a burst within its period, so that is
// what is left divided by all CPUs there are.
void Session::CheckCpu() {
  const absl::StatusOr<uint64_t> used_us = sandbox_.cgroup->CpuMicros();
  if (!used_us.ok()) {
    spdlog::error("sandbox {}: read the CPU time: {}", id_, Message(used_us.status()));
    return End(EndCause::kInitLost);  // A limit that cannot be watched is not a limit.
  }
  const uint64_t run_us = *used_us - cpu_before_us_;
  evidence_.cpu_used_us = run_us;
  if (run_us >= evidence_.limits.cpu_time_ms * 1000) {
    return End(EndCause::kCpuDeadline);
  }
  ArmCpuCheck(run_us);
}

void Session::ArmCpuCheck(uint64_t used_us) {
  static const auto kCpus = static_cast<uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  const auto left_ns = static_cast<int64_t>((evidence_.limits.cpu_time_ms * 1000 - used_us) * 1000 / kCpus);
  Later(std::max(left_ns, kLeastCpuCheckNanos), cpu_timer_, &Session::CheckCpu);
}

// The kernel tells how much memory was held at most, but not of what kind: that is sampled, often at first
// and ever more seldom, so that a short program has a sample and a long one costs next to nothing.
void Session::SampleMemory() {
  if (state_ != ipc::SandboxState::kRunning) {
    return;
  }
  if (memory_interval_ns_ == 0) {
    memory_interval_ns_ = kFirstMemorySampleNanos;  // Nothing is held yet.
  } else {
    KeepMemorySample();
    memory_interval_ns_ = std::min(2 * memory_interval_ns_, kLongestMemoryIntervalNanos);
  }
  Later(memory_interval_ns_, memory_timer_, &Session::SampleMemory);
}

// A sample that cannot be had is none: the result then has no such numbers.
void Session::KeepMemorySample() {
  if (!started_ || evidence_.main_ended) {
    return;
  }
  const absl::StatusOr<MemoryParts> now = sandbox_.cgroup->ReadMemoryParts();
  const auto total = [](const MemoryParts& parts) { return parts.anonymous_bytes + parts.file_bytes; };
  if (now.ok() && total(*now) != 0 && (!memory_parts_ || total(*now) > total(*memory_parts_))) {
    memory_parts_ = *now;
  }
}

// The kernel bounds them for the whole host only.
void Session::CheckSockets() {
  if (state_ != ipc::SandboxState::kRunning || init_dead_) {
    return;
  }
  // init is in the payload's network namespace, and not reaped yet.
  const absl::StatusOr<pid_t> init = PidOf(sandbox_.init.get());
  const absl::StatusOr<uint64_t> used = init.ok() ? CountSockets(*init) : init.status();
  if (!used.ok()) {
    // Either init has just ended, or this is a limit that cannot be watched: what OnInitDead finds decides.
    spdlog::info("sandbox {}: count its sockets: {}", id_, Message(used.status()));
    return KillEverything();
  }
  if (*used > kMostSockets) {
    evidence_.sockets = *used;
    return End(EndCause::kSockets);
  }
  Later(kSocketCountNanos, sockets_timer_, &Session::CheckSockets);
}

// The payload's thread that wants a lock waits for this, so runs that ask too much wait for each other.
void Session::CountLocks() {
  if (state_ != ipc::SandboxState::kRunning) {
    return;
  }
  LockCounter& counter = builder_.lock_counter();
  if (const int64_t wait = counter.next_nanos() - MonotonicNanos(); wait > 0) {
    return Later(wait, locks_timer_, &Session::CountLocks);
  }
  to_init_.AddLocksHeld(counter.Count([this] { return sandbox_.cgroup->PayloadThreads(); }));
  SendToInit();
}

}  // namespace caisson::orchestrator
