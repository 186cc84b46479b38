// The part of a Session that has its sandbox built and removed. Run by caissond as root, in the event loop's
// thread. Input: the answers of its builder, a process of the same rights.
#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "orchestrator/session.h"
#include "sandbox/setup_stage.h"

namespace caisson::orchestrator {
namespace {

using sandbox::SetupStage;

constexpr int64_t kSetupNanos = 10'000 * kNanosPerMilli;  // a sandbox is ready by then, or it failed
constexpr int64_t kFirstRemovalNanos = 1 * kNanosPerMilli;
constexpr int64_t kLastRemovalNanos = 1'000 * kNanosPerMilli;

}  // namespace

void Session::Build(uint64_t disk_bytes, uint64_t inode_count) {
  prepare_ns_ = MonotonicNanos();
  order_ =
      builder_.Build(plan_, disk_bytes, inode_count, [this](Sandbox sandbox, const BuildFailure* failure) {
        order_ = 0;
        OnBuilt(std::move(sandbox), failure);
      });
}

void Session::OnBuilt(Sandbox sandbox, const BuildFailure* failure) {
  sandbox_ = std::move(sandbox);
  BuildFailure failed;
  if (failure != nullptr) {
    failed = *failure;
  } else if (absl::Status watched = WatchInit(); watched.ok()) {
    if (state_ != ipc::SandboxState::kPreparing) {
      KillEverything();  // Not wanted any more.
    } else {
      Later(kSetupNanos, setup_timer_, &Session::OnSetupDeadline);
    }
    return;
  } else {
    failed = {SetupStage::kClone, std::move(watched)};
    KillEverything();
    static_cast<void>(
        sandbox_.init.Reap());  // Nothing watches it, and it has no children yet: it ends at once.
  }
  init_dead_ = true;
  spdlog::error("sandbox {}: {}: {}", id_, sandbox::SetupStageText(static_cast<uint32_t>(failed.stage)),
                Message(failed.status));
  switch (state_) {
    case ipc::SandboxState::kEnding:
      return Conclude();
    case ipc::SandboxState::kNone:
      return ScheduleRemoval(0);
    default:
      return FailPreparation({static_cast<uint32_t>(failed.stage), 0, 0, 0}, Message(failed.status));
  }
}

absl::Status Session::WatchInit() {
  RETURN_IF_ERROR(loop_.Watch(sandbox_.init.get(), EPOLLIN, [this](uint32_t) { OnInitDead(); }));
  return loop_.Watch(sandbox_.control.get(), EPOLLIN, [this](uint32_t events) { OnControl(events); });
}

void Session::Remove() {
  order_ = builder_.Remove(sandbox_, [this](const absl::Status& status) {
    order_ = 0;
    OnRemoved(status);
  });
}

void Session::OnRemoved(const absl::Status& status) {
  if (status.ok()) {
    return listener_->OnGone(*this);
  }
  if (removal_delay_ns_ == kLastRemovalNanos) {
    spdlog::warn("sandbox {}: remove the cgroups: {}", id_, Message(status));
  }
  // The kernel empties a cgroup a moment after its last process is reaped.
  removal_delay_ns_ = std::clamp(removal_delay_ns_ * 2, kFirstRemovalNanos, kLastRemovalNanos);
  Later(removal_delay_ns_, removal_timer_, &Session::Remove);
}

}  // namespace caisson::orchestrator
