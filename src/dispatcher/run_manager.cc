#include "dispatcher/run_manager.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/errors.h"
#include "dispatcher/run_record.h"
#include "dispatcher/stored_lookup.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kPositionIntervalMs = 1'000;
constexpr int64_t kMemoryIntervalMs = 50;
constexpr int64_t kNanosPerSecond = 1'000 * kNanosPerMilli;

NewRecord RecordOf(RunKey key, const RunSpec& spec) {
  NewRecord record;
  record.key = key;
  record.tenant = spec.tenant;
  record.number = spec.number;
  record.id = spec.id;
  record.run = NewRunRecord(spec);
  record.most_bytes = MostStoredBytes(spec);
  return record;
}

SchedulerConfig ConfigOf(const ipc::Hello& hello) {
  SchedulerConfig config;
  config.max_running = hello.max_sandboxes;
  config.memory_budget_bytes = hello.memory_budget_bytes;
  config.cpu_budget_millis = hello.cpu_budget_millis == 0 ? kNoBound : hello.cpu_budget_millis;
  config.cpu_millis = hello.cpu_millis;
  config.queue_length = hello.queue_length;
  config.max_queued_bytes = RunManager::kMaxQueuedBytes;
  return config;
}

}  // namespace

RunManager::RunManager(IoThread& io, SupervisorLink& link, UniqueFd discard, const ipc::Hello& hello,
                       Parts parts)
    : io_(io),
      link_(link),
      hello_(hello),
      discard_(std::move(discard)),
      scratch_(kMaxChunkBytes),
      pump_resources_{discard_.get(), scratch_},
      scheduler_(ConfigOf(hello)),
      cpu_(parts.cpu_days, UnixNanos() / kNanosPerSecond),
      next_key_(parts.first_key),
      numbers_(std::move(parts.last_numbers)),
      records_(parts.records),
      observer_(parts.metrics) {
  if (records_ != nullptr) {
    followers_.emplace(io_, *records_);
    created_.emplace(io_, *records_, *followers_, HostOfCreated());
  }
}

RunManager::~RunManager() {
  if (records_ != nullptr && !cpu_changed_.empty()) {
    records_->WriteSurely(RecordThread::Need::kLasting, CpuToStore(), nullptr);
  }
  io_.loop().Cancel(position_timer_);
  io_.loop().Cancel(memory_timer_);
}

// --- From clients
// -------------------------------------------------------------------------------------------------

void RunManager::Enter(RunSpec& spec) {
  spec.key = next_key_++;
  spec.number = ++numbers_[spec.tenant];
}

void RunManager::Submit(RunSpec spec, std::shared_ptr<ClientStream> client) {
  if (client->gone()) {
    return;
  }
  if (closed()) {
    return Refuse(*client, RefusalWhileClosed());
  }
  if (spec.key == 0) {
    Enter(spec);
  }
  const RunKey key = spec.key;
  const grpc::Status refusal = Enqueue(key, spec);
  RefuseDisplaced();
  if (!refusal.ok()) {
    return Refuse(*client, refusal);
  }
  registry_.Add(key, spec.tenant, spec.number, NewRunRecord(spec));
  if (created_.has_value() && !created_->Has(key)) {
    records_->Write(
        RecordThread::Need::kLasting,
        [record = RecordOf(key, spec)](RunStore& store) { return store.Add(record); }, nullptr);
  }
  auto run = std::make_shared<Run>(*this, key, std::move(spec), client);
  runs_.emplace(key, run);
  client->SetOwner(run);
  AdmitWaiting();
  if (run->state() == Run::State::kQueued) {
    run->TellPosition(static_cast<uint32_t>(scheduler_.PlaceOf(key)));
    ArmPositionTimer();
  }
}

CreatedRuns::Host RunManager::HostOfCreated() {
  return {[this](RunSpec& spec) { Enter(spec); },
          [this](const RunSpec& spec) { return Closed(spec); },
          [this](RunSpec spec, std::shared_ptr<ClientStream> client) {
            Submit(std::move(spec), std::move(client));
          },
          [this](RunKey key) { return registry_.At(key); },
          [this](RunKey key) {
            if (Run* run = Find(key); run != nullptr) {
              run->Cancel(ipc::CancelReason::kShutdown);
            }
          },
          [this](RunKey key) { registry_.Erase(key); }};
}

void RunManager::Create(RunSpec spec, RunReply reply) {
  CAISSON_CHECK(created_.has_value());
  created_->Create(std::move(spec),
                   [this, reply = std::move(reply)](const grpc::Status& status, const v1::Run& run) {
                     if (!status.ok()) {
                       observer_.OnRefused(status);
                     }
                     reply(status, run);
                   });
}

void RunManager::Follow(const Caller& caller, const RunId& id, const FollowPosition& from,
                        std::shared_ptr<ClientStream> client) {
  CAISSON_CHECK(followers_.has_value());
  followers_->Begin(caller, id, from, std::move(client));
}

MetricsNow RunManager::Measure() const {
  MetricsNow now;
  now.active_runs = scheduler_.running();
  now.max_runs = hello_.max_sandboxes;
  now.waiting_runs[TenantId().name()] = 0;
  for (const AdmissionId key : scheduler_.Waiting()) {
    ++now.waiting_runs[runs_.at(key)->tenant().name()];
  }
  now.queue_length = hello_.queue_length;
  now.memory_promised_bytes = scheduler_.memory_in_use_bytes();
  now.memory_budget_bytes = hello_.memory_budget_bytes;
  now.followers = followers_.has_value() ? followers_->size() : 0;
  return now;
}

void RunManager::Refuse(ClientStream& client, const grpc::Status& status) {
  // One that is the disk's is counted with its call, which waits for what becomes of the record.
  if (!client.stores()) {
    observer_.OnRefused(status);
  }
  client.Finish(status);
}

// --- Admission
// ----------------------------------------------------------------------------------------------------

void RunManager::AdmitWaiting() {
  // Clients that do not read keep what is left of their run in our memory, so their number has a bound too.
  while (!draining_ && lingering_ <= hello_.max_sandboxes) {
    const int64_t now_ns = MonotonicNanos();
    const std::optional<AdmissionId> next =
        scheduler_.AdmitNext(now_ns, free_memory_ == nullptr ? kNoBound : free_memory_(now_ns));
    if (!next.has_value()) {
      break;
    }
    Run& run = *runs_.at(*next);
    observer_.OnAdmitted(run);
    run.Admit(scheduler_.LeavesLast(run.tenant()));
  }
  if (scheduler_.wants_memory() && memory_timer_ == 0) {
    // Nothing of ours tells when the host has memory again.
    memory_timer_ = io_.loop().At(MonotonicNanos() + kMemoryIntervalMs * kNanosPerMilli, [this] {
      memory_timer_ = 0;
      AdmitWaiting();
    });
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
  // Its place among its own tenant's: how many others wait is not a client's to know.
  std::unordered_map<TenantId, uint32_t> positions;
  for (const AdmissionId key : scheduler_.Waiting()) {
    Run& run = *runs_.at(key);
    run.TellPosition(++positions[run.tenant()]);
  }
  if (scheduler_.waiting() != 0) {
    ArmPositionTimer();  // Nobody waiting, nobody to wake up for.
  }
}

void RunManager::OnMemoryFree(RunKey key, uint64_t bytes) {
  scheduler_.Reduce(key, bytes);
  io_.Post([this] { AdmitWaiting(); });
}

void RunManager::OnSandboxFree(RunKey key) {
  ++lingering_;
  scheduler_.Release(key, MonotonicNanos());
  // Not now: the caller is in the middle of ending its run.
  io_.Post([this] { AdmitWaiting(); });
}

void RunManager::OnResult(RunKey key, const v1::RunResult& result) {
  SettleCpu(key, UsedCpuMs(result));
  if (const Run* run = Find(key); run != nullptr) {
    observer_.OnResult(*run, result);
  }
  if (created_.has_value() && created_->Has(key)) {
    return created_->OnResult(key, result);  // Its end is told when it is stored.
  }
  registry_.Finish(key, result, UnixNanos(), MonotonicNanos());
  const v1::Run* record = registry_.At(key);
  const Run* run = Find(key);
  if (records_ == nullptr || record == nullptr || run == nullptr) {
    return;
  }
  NewRecord ended;
  ended.key = key;
  ended.tenant = run->tenant();
  ended.number = run->number();
  ended.id = run->id();
  ended.run = *record;
  records_->WriteSurely(
      RecordThread::Need::kLasting,
      [ended = std::move(ended)](RunStore& store) { return store.Finish(ended); },
      [this, key](const absl::Status& /*status*/) { registry_.Erase(key); });
}

void RunManager::OnEnded(RunKey key) {
  const auto found = runs_.find(key);
  CAISSON_CHECK(found != runs_.end());
  // Destroyed in a later turn: the run is still on the stack.
  const std::shared_ptr<Run> run = std::move(found->second);
  io_.Post([this, run] {
    if (run->admitted()) {
      --lingering_;
    }
    AdmitWaiting();
    if (runs_.empty() && on_idle_ != nullptr) {
      std::exchange(on_idle_, nullptr)();
    }
  });
  const RunId id = run->id();
  runs_.erase(found);
  SettleCpu(key, 0);  // of one that was refused before it had a result
  if (created_.has_value() && created_->Has(key)) {
    return created_->OnEnded(key, UnixNanos(), lost_);
  }
  if (registry_.EraseUnlessFinished(key) && records_ != nullptr) {
    records_->WriteSurely(
        RecordThread::Need::kLasting, [key, id](RunStore& store) { return store.Forget(key, id); }, nullptr);
  }
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
  void operator()(const ipc::Listener& /*message*/) {
    spdlog::warn("supervisor: a LISTENER after the start is ignored");
  }
  void operator()(const ipc::Policy& m) {
    const auto policies = ReadPolicies(m, fds.front());
    if (policies.ok()) {
      manager.SetPolicies(*policies);
    } else {
      manager.policies_.NoteFailure();
      spdlog::error("policies: not taken, what was in force stays: {}", Message(policies.status()));
    }
  }
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
  void operator()(const ipc::Reloaded& /*message*/) {}  // of Reloads, which has had it
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

grpc::Status RunManager::RefusalWhileClosed() const {
  if (lost_) {
    return RefuseForNow(Reason::kSupervisorUnavailable, "the supervisor is gone", kRetryDelayMs);
  }
  return RefuseForNow(Reason::kShuttingDown,
                      draining_ ? "the service is shutting down" : "the service is drained", kRetryDelayMs);
}

grpc::Status RunManager::Closed(const RunSpec& spec) {
  if (closed()) {
    return RefusalWhileClosed();
  }
  return LookAtDoor(spec);
}

void RunManager::Drain() {
  if (std::exchange(draining_, true)) {
    return;
  }
  spdlog::info("draining: {} runs are active, {} waiting ones are refused", scheduler_.running(),
               scheduler_.waiting());
  for (const AdmissionId key : scheduler_.Waiting()) {
    static_cast<void>(scheduler_.Remove(key));
    runs_.at(key)->Refuse(RefusalWhileClosed());
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
