// Run by caissond as root, in the event loop's thread. Input: demand, which clients make; it is bounded by
// `most`.
#include "orchestrator/sandbox_pool.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

constexpr int64_t kLookNanos = 10'000 * kNanosPerMilli;
// After a run took one and before it is let go; Nudge is usually earlier.
constexpr int64_t kPatienceNanos = 5 * kNanosPerMilli;

}  // namespace

SandboxPool::SandboxPool(EventLoop& loop, BuilderProcess& builder, uint32_t most,
                         uint32_t accepted_degradations, std::function<void()> on_gone)
    : loop_(loop),
      builder_(builder),
      most_(most),
      accepted_degradations_(accepted_degradations),
      on_gone_(std::move(on_gone)) {}

SandboxPool::~SandboxPool() {
  loop_.Cancel(build_timer_);
  loop_.Cancel(look_timer_);
}

std::optional<ReadySandbox> SandboxPool::Take(const StepPlan& plan, ipc::Step step, bool leaves_last) {
  if (most_ == 0) {
    return std::nullopt;
  }
  Shelf& shelf = shelves_[&plan];
  shelf.step = step;
  shelf.asked = true;
  ScheduleLook();
  ScheduleBuild(kPatienceNanos);
  while (shelf.waiting.size() > (leaves_last ? 1U : 0U)) {
    ReadySandbox ready = std::move(shelf.waiting.front());
    shelf.waiting.pop_front();
    --waiting_;
    if (ready.session->alive()) {
      return ready;
    }
    Remove(std::move(ready.session));
  }
  shelf.target = std::clamp<size_t>(shelf.target * 2, 1, most_);
  return std::nullopt;
}

void SandboxPool::Nudge() {
  if (build_timer_ != 0) {
    loop_.Cancel(build_timer_);
    build_timer_ = 0;
    ScheduleBuild(0);
  }
}

void SandboxPool::Close() {
  most_ = 0;
  loop_.Cancel(look_timer_);
  for (auto& [plan, shelf] : shelves_) {
    for (ReadySandbox& ready : shelf.waiting) {
      --waiting_;
      Remove(std::move(ready.session));
    }
  }
  shelves_.clear();
}

void SandboxPool::ScheduleBuild(int64_t delay_nanos) {
  if (build_timer_ == 0 && building_ == nullptr && most_ != 0) {
    build_timer_ = loop_.At(MonotonicNanos() + delay_nanos, [this] {
      build_timer_ = 0;
      BuildOne();
    });
  }
}

// For the shelf that lacks most.
void SandboxPool::BuildOne() {
  const auto lacks = [](const Shelf& shelf) {
    return shelf.target - std::min(shelf.target, shelf.waiting.size());
  };
  const auto neediest = std::max_element(shelves_.begin(), shelves_.end(), [&](const auto& a, const auto& b) {
    return lacks(a.second) < lacks(b.second);
  });
  if (building_ != nullptr || neediest == shelves_.end() || lacks(neediest->second) == 0 ||
      waiting_ >= most_) {
    return;
  }
  const StepPlan& plan = *neediest->first;
  building_for_ = &plan;
  building_ = std::make_unique<Session>(loop_, builder_, *this, 0, plan, neediest->second.step,
                                        accepted_degradations_);
  const policy::Limits& sizes = plan.limits.defaults;
  building_->Build(sizes.Get(policy::LimitId::kDiskBytes), sizes.Get(policy::LimitId::kInodeCount));
}

void SandboxPool::OnPrepared(Session& session, const ipc::Prepared& message, std::vector<UniqueFd> fds) {
  CAISSON_CHECK(&session == building_.get());
  std::unique_ptr<Session> built = std::move(building_);
  const auto shelf = shelves_.find(building_for_);
  if (shelf == shelves_.end()) {
    return Remove(std::move(built));  // Closed meanwhile.
  }
  ++waiting_;
  shelf->second.waiting.push_back({std::move(built), message, std::move(fds)});
  ScheduleBuild(0);
}

void SandboxPool::OnPrepareFailed(Session& session, const ipc::PrepareFailed& message) {
  // The session has logged why. A run that finds none builds its own and learns the reason itself.
  static_cast<void>(message);
  CAISSON_CHECK(&session == building_.get());
  if (const auto shelf = shelves_.find(building_for_); shelf != shelves_.end()) {
    shelf->second.target = 0;
  }
  leaving_.emplace(&session, std::move(building_));
}

// Armed only while something waits or is wanted, so that a daemon at rest sleeps.
void SandboxPool::ScheduleLook() {
  if (look_timer_ == 0) {
    look_timer_ = loop_.At(MonotonicNanos() + kLookNanos, [this] {
      look_timer_ = 0;
      LookForIdleShelves();
    });
  }
}

void SandboxPool::LookForIdleShelves() {
  bool again = false;
  for (auto& [plan, shelf] : shelves_) {
    if (!std::exchange(shelf.asked, false)) {
      shelf.target /= 2;
    }
    while (shelf.waiting.size() > shelf.target) {
      ReadySandbox ready = std::move(shelf.waiting.back());
      shelf.waiting.pop_back();
      --waiting_;
      Remove(std::move(ready.session));
    }
    again = again || shelf.target != 0;
  }
  if (again) {
    ScheduleLook();
  }
}

void SandboxPool::Remove(std::unique_ptr<Session> session) {
  Session& unused = *session;
  leaving_.emplace(&unused, std::move(session));
  unused.Discard();
}

void SandboxPool::OnGone(Session& session) {
  // The session is on the stack below us; it goes when the loop comes round.
  loop_.At(MonotonicNanos(), [this, gone = &session] {
    leaving_.erase(gone);
    on_gone_();
  });
}

// Something went wrong inside while it waited: it is being ended already.
void SandboxPool::OnFinished(Session& session, const ipc::Finished& /*message*/) {
  if (&session == building_.get()) {
    leaving_.emplace(&session, std::move(building_));
    return;
  }
  for (auto& [plan, shelf] : shelves_) {
    const auto found =
        std::find_if(shelf.waiting.begin(), shelf.waiting.end(),
                     [&](const ReadySandbox& ready) { return ready.session.get() == &session; });
    if (found != shelf.waiting.end()) {
      leaving_.emplace(&session, std::move(found->session));
      shelf.waiting.erase(found);
      --waiting_;
      return;
    }
  }
}

void SandboxPool::OnStarted(Session& /*session*/, const ipc::Started& /*message*/) { CAISSON_CHECK(false); }
void SandboxPool::OnStartRefused(Session& /*session*/, const ipc::StartRefused& /*message*/) {
  CAISSON_CHECK(false);
}

}  // namespace caisson::orchestrator
