#include "dispatcher/run_manager.h"

#include <google/protobuf/util/time_util.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/errors.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kPositionIntervalMs = 1'000;
constexpr size_t kDefaultPageSize = 50;
constexpr size_t kMaxPageSize = 1'000;

int64_t UnixNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

RunManager::RunManager(IoThread& io, SupervisorLink& link, UniqueFd discard, const ipc::Hello& hello)
    : io_(io),
      link_(link),
      hello_(hello),
      discard_(std::move(discard)),
      scratch_(kMaxChunkBytes),
      pump_resources_{discard_.get(), scratch_},
      admission_(AdmissionConfig{hello.max_sandboxes, hello.memory_budget_bytes, hello.queue_length,
                                 kMaxQueuedBytes}) {}

RunManager::~RunManager() { io_.loop().Cancel(position_timer_); }

// --- From clients
// -------------------------------------------------------------------------------------------------

void RunManager::Submit(RunSpec spec, std::shared_ptr<ClientStream> client) {
  if (client->gone()) {
    return;
  }
  if (draining_) {
    client->Finish(RefusalWhileDraining());
    return;
  }
  const RunKey key = next_key_++;
  const Admission::Entry entry =
      admission_.Enqueue(key, spec.memory_bytes + spec.bundle_bytes, spec.request_bytes);
  if (entry != Admission::Entry::kAccepted) {
    const std::string message =
        entry == Admission::Entry::kQueueFull
            ? "the queue is full, " + std::to_string(admission_.waiting()) + " waiting"
            : "the waiting requests together are too large";
    client->Finish(RefuseQuota(Reason::kQueueFull, message, "queue", kRetryDelayMs));
    return;
  }
  v1::Run record;
  record.set_name(RunName(spec.id));
  record.set_profile(spec.profile);
  record.set_state(v1::Run::QUEUED);
  *record.mutable_create_time() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(UnixNanos());
  record.mutable_labels()->insert(spec.labels.begin(), spec.labels.end());
  registry_.Add(key, std::move(record));
  auto run = std::make_shared<Run>(*this, key, std::move(spec), client);
  runs_.emplace(key, run);
  client->SetOwner(run);
  AdmitWaiting();
  if (run->state() == Run::State::kQueued) {
    run->TellPosition(static_cast<uint32_t>(admission_.waiting()));
    ArmPositionTimer();
  }
}

grpc::Status RunManager::Get(const std::string& name, v1::Run& run) {
  const v1::Run* found = registry_.Find(name, MonotonicNanos());
  if (found == nullptr) {
    return RefuseMissing(Reason::kRunNotFound, "run", name);
  }
  run = *found;
  return grpc::Status::OK;
}

grpc::Status RunManager::Cancel(const std::string& name, v1::Run& run) {
  if (const auto key = registry_.KeyOf(name); key.has_value()) {
    if (Run* live = Find(*key); live != nullptr) {
      live->Cancel(ipc::CancelReason::kClient);
    }
  }
  return Get(name, run);
}

void RunManager::List(const v1::ListRunsRequest& request, uint64_t before, v1::ListRunsResponse& response) {
  const size_t size = request.page_size() == 0
                          ? kDefaultPageSize
                          : std::min(static_cast<size_t>(request.page_size()), kMaxPageSize);
  RunRegistry::Page page = registry_.List(before, size, MonotonicNanos());
  for (v1::Run& run : page.runs) {
    *response.add_runs() = std::move(run);
  }
  if (page.next_key != 0) {
    response.set_next_page_token(std::to_string(page.next_key));
  }
}

void RunManager::FillInfo(v1::ServerInfo& info) const {
  info.set_max_runs(hello_.max_sandboxes);
  info.set_queue_length(hello_.queue_length);
  info.set_memory_budget_bytes(hello_.memory_budget_bytes);
  info.set_cgroup_backend(
      ipc::CgroupBackend{hello_.cgroup_backend} == ipc::CgroupBackend::kUnified ? "unified" : "hybrid");
  info.set_landlock_abi(hello_.landlock_abi);
  info.set_runs_active(static_cast<uint32_t>(admission_.running()));
  info.set_runs_queued(static_cast<uint32_t>(admission_.waiting()));
}

// --- Admission
// ----------------------------------------------------------------------------------------------------

void RunManager::AdmitWaiting() {
  // Clients that do not read keep what is left of their run in our memory, so their number has a bound too.
  while (!draining_ && lingering_ <= hello_.max_sandboxes) {
    const std::optional<AdmissionId> next = admission_.AdmitNext();
    if (!next.has_value()) {
      return;
    }
    runs_.at(*next)->Admit();
  }
}

void RunManager::ArmPositionTimer() {
  if (position_timer_ == 0) {
    position_timer_ =
        io_.loop().At(MonotonicNanos() + kPositionIntervalMs * kNanosPerMilli, [this] { TellPositions(); });
  }
}

void RunManager::TellPositions() {
  position_timer_ = 0;
  uint32_t position = 0;
  for (const AdmissionId key : admission_.Waiting()) {
    runs_.at(key)->TellPosition(++position);
  }
  if (admission_.waiting() != 0) {
    ArmPositionTimer();  // Nobody waiting, nobody to wake up for.
  }
}

void RunManager::OnMemoryFree(RunKey key, uint64_t bytes) {
  admission_.Reduce(key, bytes);
  io_.Post([this] { AdmitWaiting(); });
}

void RunManager::OnSandboxFree(RunKey key) {
  ++lingering_;
  admission_.Release(key);
  // Not now: the caller is in the middle of ending its run.
  io_.Post([this] { AdmitWaiting(); });
}

void RunManager::OnResult(RunKey key, const v1::RunResult& result) {
  registry_.Finish(key, result, UnixNanos(), MonotonicNanos());
}

void RunManager::OnEnded(RunKey key) {
  const auto found = runs_.find(key);
  CAISSON_CHECK(found != runs_.end());
  // Destroyed in a later turn: the run is still on the stack.
  io_.Post([this, run = std::move(found->second)] {
    if (run->admitted()) {
      --lingering_;
    }
    AdmitWaiting();
    if (runs_.empty() && on_idle_ != nullptr) {
      std::exchange(on_idle_, nullptr)();
    }
  });
  runs_.erase(found);
  registry_.EraseUnlessFinished(key);
}

// --- From caissond
// ------------------------------------------------------------------------------------------------

struct RunManager::Dispatch {
  RunManager& manager;
  std::vector<UniqueFd>& fds;

  template <typename M, typename Handle>
  void To(const M& message, Handle handle) {
    Run* run = manager.Find(Run::KeyOf(message.sandbox));
    if (StepRun* step = run == nullptr ? nullptr : run->FindStep(message.sandbox); step != nullptr) {
      handle(*step);
    }
  }
  void operator()(const ipc::Hello& /*message*/) { spdlog::warn("supervisor: a second HELLO is ignored"); }
  void operator()(const ipc::Prepared& m) {
    To(m, [&](StepRun& step) { step.OnPrepared(m, std::move(fds)); });
  }
  void operator()(const ipc::PrepareFailed& m) {
    To(m, [&](StepRun& step) { step.OnPrepareFailed(m); });
  }
  void operator()(const ipc::Started& m) {
    To(m, [&](StepRun& step) { step.OnStarted(m); });
  }
  void operator()(const ipc::StartRefused& m) {
    To(m, [&](StepRun& step) { step.OnStartRefused(m); });
  }
  void operator()(const ipc::Finished& m) {
    To(m, [&](StepRun& step) { step.OnFinished(m); });
  }
  void operator()(const ipc::Drain& /*message*/) { manager.Drain(); }
};

void RunManager::OnMessage(const ipc::Reply& reply, std::vector<UniqueFd> fds) {
  std::visit(Dispatch{*this, fds}, reply);
}

void RunManager::OnSupervisorLost(const absl::Status& reason) {
  spdlog::error("supervisor: the connection is lost: {}", Message(reason));
  lost_ = true;
  Drain();
  for (const std::shared_ptr<Run>& run : Snapshot()) {
    run->OnSupervisorLost();
  }
}

// --- The end
// ------------------------------------------------------------------------------------------------------

grpc::Status RunManager::RefusalWhileDraining() const {
  return lost_ ? RefuseForNow(Reason::kSupervisorUnavailable, "the supervisor is gone", kRetryDelayMs)
               : RefuseForNow(Reason::kShuttingDown, "the service is shutting down", kRetryDelayMs);
}

void RunManager::Drain() {
  if (std::exchange(draining_, true)) {
    return;
  }
  spdlog::info("draining: {} runs are active, {} waiting ones are refused", admission_.running(),
               admission_.waiting());
  for (const AdmissionId key : admission_.Waiting()) {
    static_cast<void>(admission_.Remove(key));
    runs_.at(key)->Refuse(RefusalWhileDraining());
  }
  if (on_drain_ != nullptr) {
    on_drain_();
  }
}

void RunManager::WhenIdle(std::function<void()> on_idle) {
  if (runs_.empty()) {
    on_idle();
  } else {
    on_idle_ = std::move(on_idle);
  }
}

Run* RunManager::Find(RunKey key) {
  const auto found = runs_.find(key);
  return found == runs_.end() ? nullptr : found->second.get();
}

std::vector<std::shared_ptr<Run>> RunManager::Snapshot() const {
  std::vector<std::shared_ptr<Run>> runs;
  runs.reserve(runs_.size());
  for (const auto& [key, run] : runs_) {
    runs.push_back(run);
  }
  return runs;
}

}  // namespace caisson::dispatcher
