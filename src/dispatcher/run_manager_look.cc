// What clients ask the run manager about runs: what is in memory, then what is stored.
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/errors.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/run_name.h"
#include "dispatcher/stored_lookup.h"

namespace caisson::dispatcher {
namespace {

absl::StatusOr<std::vector<StoredRun>> NothingStored(uint64_t /*before*/, size_t /*most*/) {
  return std::vector<StoredRun>();
}

}  // namespace

void RunManager::Get(const Caller& caller, const RunId& id, RunReply reply) {
  const std::string name = RunName(id);
  if (const v1::Run* found = registry_.Find(caller, name, MonotonicNanos()); found != nullptr) {
    return reply(grpc::Status::OK, *found);
  }
  if (records_ == nullptr) {
    return reply(RefuseMissing(Reason::kRunNotFound, "run", name), {});
  }
  ReadStoredRun(*records_, caller, id, std::move(reply));
}

void RunManager::Cancel(const Caller& caller, const RunId& id, RunReply reply) {
  if (const auto key = registry_.KeyOf(caller, RunName(id)); key.has_value()) {
    if (Run* live = Find(*key); live != nullptr) {
      live->Cancel(ipc::CancelReason::kClient);
    }
  }
  Get(caller, id, std::move(reply));
}

void RunManager::List(ListingRequest request, ListReply reply) {
  LiveRuns live = registry_.All(request.caller, MonotonicNanos());
  if (records_ == nullptr || !request.filter.MatchesFinished()) {
    return reply(grpc::Status::OK, *BuildPage(request, live, NothingStored));
  }
  ReadStoredPage(*records_, std::move(request), std::move(live), std::move(reply));
}

void RunManager::FillInfo(const Caller& caller, v1::ServerInfo& info) const {
  info.set_max_runs(hello_.max_sandboxes);
  info.set_queue_length(hello_.queue_length);
  info.set_memory_budget_bytes(hello_.memory_budget_bytes);
  info.set_cgroup_backend(
      ipc::CgroupBackend{hello_.cgroup_backend} == ipc::CgroupBackend::kUnified ? "unified" : "hybrid");
  info.set_landlock_abi(hello_.landlock_abi);
  uint32_t active = 0;
  uint32_t queued = 0;
  for (const auto& [key, run] : runs_) {
    if (caller.Sees(run->tenant())) {
      active += run->holds_place() ? 1U : 0U;
      queued += run->state() == Run::State::kQueued ? 1U : 0U;
    }
  }
  info.set_runs_active(active);
  info.set_runs_queued(queued);
}

}  // namespace caisson::dispatcher
