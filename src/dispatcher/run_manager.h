// All runs of this dispatcher: takes them in, admits them, carries caissond's answers to them, and ends them.
// On the I/O thread, all of it.
#ifndef CAISSON_DISPATCHER_RUN_MANAGER_H_
#define CAISSON_DISPATCHER_RUN_MANAGER_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "caisson/admin/v1/admin.pb.h"
#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"
#include "dispatcher/client_stream.h"
#include "dispatcher/created_runs.h"
#include "dispatcher/follower.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/metrics.h"
#include "dispatcher/output_pump.h"
#include "dispatcher/record_thread.h"
#include "dispatcher/run.h"
#include "dispatcher/run_host.h"
#include "dispatcher/run_listing.h"
#include "dispatcher/run_observer.h"
#include "dispatcher/run_registry.h"
#include "dispatcher/scheduling/scheduler.h"
#include "dispatcher/stored_lookup.h"
#include "dispatcher/supervisor_link.h"
#include "dispatcher/tenancy/cpu_ledger.h"
#include "dispatcher/tenancy/policy_book.h"
#include "dispatcher/tenant.h"
#include "ipc/codec.h"
#include "ipc/messages.h"

namespace caisson::dispatcher {

class RunManager final : public RunHost {
 public:
  // A client is told to come back after this.
  static constexpr int64_t kRetryDelayMs = 1'000;
  static constexpr uint64_t kMaxQueuedBytes = 256ULL * 1024 * 1024;

  using RunReply = dispatcher::RunReply;
  using ListReply = PageReply;
  // What it works with, each of which outlives it. Without a thread runs are not recorded, without metrics
  // not counted: for tests of what is beside them.
  struct Parts {
    RecordThread* records = nullptr;
    RunKey first_key = 1;                            // above every key that is recorded
    std::map<TenantId, uint64_t> last_numbers = {};  // the highest that is recorded of each tenant
    Metrics* metrics = nullptr;
    CpuDays cpu_days = {};  // as stored
  };

  // `discard`: /dev/null, open for writing. `hello`: caissond's bounds.
  RunManager(IoThread& io, SupervisorLink& link, UniqueFd discard, const ipc::Hello& hello, Parts parts);
  ~RunManager() override;

  // What tenants may have; from any thread.
  const PolicyBook& policies() const { return policies_; }
  // From now on these hold. What was let in before stays.
  void SetPolicies(std::shared_ptr<const PolicyState> policies);
  // A tenant that has a way in, whether or not it has come yet.
  void Expect(const TenantId& tenant) { SetShareOf(tenant); }
  // How much memory the host really has, asked for before a run starts.
  void SetFreeMemory(std::function<uint64_t(int64_t now_ns)> free_memory) {
    free_memory_ = std::move(free_memory);
  }

  // Takes the run through the one door: it is admitted, waits, or its client is refused.
  void Submit(RunSpec spec, std::shared_ptr<ClientStream> client);
  // A run that no call holds. Needs Stored, as FollowRun does.
  void Create(RunSpec spec, RunReply reply);
  // Another tenant's run is missing, in each of these.
  void Follow(const Caller& caller, const RunId& id, const FollowPosition& from,
              std::shared_ptr<ClientStream> client);
  // The run as it is now; Cancel first ends it, if it has not ended.
  void Get(const Caller& caller, const RunId& id, RunReply reply);
  void Cancel(const Caller& caller, const RunId& id, RunReply reply);
  void List(ListingRequest request, ListReply reply);
  // What is at work and waiting is of the caller's own tenant.
  void FillInfo(const Caller& caller, v1::ServerInfo& info) const;
  MetricsNow Measure() const;

  // For admins (run_manager_admin.cc), of all tenants.
  struct RunCounts {
    uint64_t active = 0;
    uint64_t queued = 0;
  };
  RunCounts CountRuns() const { return {scheduler_.running(), scheduler_.waiting()}; }
  // From now on no run is admitted, and those that wait and work go on. Idempotent.
  void StopAdmitting();
  // Undoes it; a refusal while the service itself stops.
  grpc::Status AdmitAgain();
  // Called with what holds from now on, whenever one of the two changed it.
  void SetOnAdmitting(std::function<void(bool)> on_admitting) { on_admitting_ = std::move(on_admitting); }
  using TenantsReply =
      std::function<void(const grpc::Status& status, const admin::v1::ListTenantsResponse& page)>;
  // A request that CheckTenantsRequest has seen.
  void ListTenants(const admin::v1::ListTenantsRequest& request, TenantsReply reply);

  void OnMessage(const ipc::Reply& reply, std::vector<UniqueFd> fds);
  // Ends every run as a failure of the service.
  void OnSupervisorLost(const absl::Status& reason);

  // Admits nothing more and refuses what waits. Idempotent.
  void Drain();
  bool draining() const { return draining_; }
  // Calls `on_idle` once, as soon as no run is left; at once if there is none.
  void WhenIdle(std::function<void()> on_idle);
  // Called when Drain begins, by whoever.
  void SetOnDrain(std::function<void()> on_drain) { on_drain_ = std::move(on_drain); }

  // RunHost.
  EventLoop& loop() override { return io_.loop(); }
  SupervisorLink& link() override { return link_; }
  const PumpResources& pump_resources() override { return pump_resources_; }
  void OnState(RunKey key, v1::Run::State state) override { registry_.SetState(key, state); }
  void OnSandbox(bool from_pool) override { observer_.OnSandbox(from_pool); }
  void OnMemoryFree(RunKey key, uint64_t bytes) override;
  void OnSandboxFree(RunKey key) override;
  void OnResult(RunKey key, const v1::RunResult& result) override;
  void OnEnded(RunKey key) override;
  void OnLeftQueue(RunKey key) override { static_cast<void>(scheduler_.Remove(key)); }

 private:
  struct Dispatch;

  bool closed() const { return draining_ || !admitting_; }
  grpc::Status RefusalWhileClosed() const;
  grpc::Status Closed(const RunSpec& spec);
  // Ends the call of a request that has no run.
  void Refuse(ClientStream& client, const grpc::Status& status);
  CreatedRuns::Host HostOfCreated();
  void Enter(RunSpec& spec);
  void AdmitWaiting();
  void TellPositions();
  void SetShareOf(const TenantId& tenant);
  // What the policy's counted quotas and the queue say of it: OK if it waits or may start.
  grpc::Status Enqueue(RunKey key, const RunSpec& spec);
  // The same without taking anything, as far as that can be said.
  grpc::Status LookAtDoor(const RunSpec& spec);
  grpc::Status CheckCpuOfDay(const RunSpec& spec);
  grpc::Status RefuseEntry(Scheduler::Entry entry, const RunSpec& spec);
  void RefuseDisplaced();
  // The run is over and has used so much of its tenant's day.
  void SettleCpu(RunKey key, uint64_t ms);
  static uint64_t UsedCpuMs(const v1::RunResult& result);
  // The tenant's CPU time changed. Written in the background, one write at a time.
  void StoreCpu(const TenantId& tenant);
  void StoreCpuNow();
  RecordThread::Work CpuToStore();
  void ArmPositionTimer();
  Run* Find(RunKey key);
  admin::v1::Tenant TenantNow(const TenantId& tenant, const RecordUsage& stored);
  std::vector<std::shared_ptr<Run>> Snapshot() const;

  IoThread& io_;
  SupervisorLink& link_;
  const ipc::Hello hello_;
  UniqueFd discard_;
  std::vector<char> scratch_;
  PumpResources pump_resources_;
  PolicyBook policies_;
  Scheduler scheduler_;
  CpuLedger cpu_;
  std::set<TenantId> cpu_changed_;  // since it was stored
  bool cpu_being_stored_ = false;
  std::function<uint64_t(int64_t now_ns)> free_memory_;
  EventLoop::TimerId memory_timer_ = 0;
  std::set<TenantId> expected_;
  RunRegistry registry_;
  std::unordered_map<RunKey, std::shared_ptr<Run>> runs_;
  RunKey next_key_;
  std::map<TenantId, uint64_t> numbers_;  // the last of each tenant; tenants come from configuration
  RecordThread* const records_;           // null: nothing is recorded
  RunObserver observer_;
  std::optional<Followers> followers_;
  std::optional<CreatedRuns> created_;
  size_t lingering_ = 0;  // runs without a sandbox whose client still takes what is left
  bool draining_ = false;
  bool admitting_ = true;  // an admin's word
  bool lost_ = false;
  EventLoop::TimerId position_timer_ = 0;
  std::function<void()> on_drain_;
  std::function<void()> on_idle_;
  std::function<void(bool)> on_admitting_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_MANAGER_H_
