// What admins ask the run manager: to admit nothing for a while, and how each tenant stands. On the I/O
// thread.
#include <spdlog/spdlog.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/admin_requests.h"
#include "dispatcher/errors.h"
#include "dispatcher/run_manager.h"
#include "dispatcher/run_record.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kNanosPerSecond = 1'000 * kNanosPerMilli;

using Usage = std::map<std::string, RecordUsage>;

}  // namespace

void RunManager::StopAdmitting() {
  if (!std::exchange(admitting_, false)) {
    return;
  }
  spdlog::warn("drained by an admin: no new runs; {} are active, {} wait", scheduler_.running(),
               scheduler_.waiting());
  if (on_admitting_ != nullptr) {
    on_admitting_(false);
  }
}

grpc::Status RunManager::AdmitAgain() {
  if (draining_) {
    return RefusalWhileClosed();
  }
  if (!std::exchange(admitting_, true)) {
    spdlog::warn("resumed by an admin: runs are let in again");
    if (on_admitting_ != nullptr) {
      on_admitting_(true);
    }
  }
  return grpc::Status::OK;
}

admin::v1::Tenant RunManager::TenantNow(const TenantId& tenant, const RecordUsage& stored) {
  const int64_t now = UnixNanos() / kNanosPerSecond;
  const Scheduler::Amount held = scheduler_.HeldBy(tenant);
  admin::v1::Tenant told;
  told.set_name(tenant.name());
  told.set_runs_active(held.runs);
  told.set_runs_queued(scheduler_.WaitingOf(tenant));
  told.set_memory_in_flight_bytes(held.memory_bytes);
  told.set_cpu_in_flight_millis(held.cpu_millis);
  told.set_stored_runs(stored.records);
  told.set_stored_bytes(stored.bytes);
  told.set_cpu_today_ms(cpu_.SeenMs(tenant, now));
  told.set_cpu_held_ms(cpu_.Of(tenant).held_ms);
  if (const auto policy = policies_.Now()->Of(tenant); policy != nullptr) {
    SetPolicy(*policy, told);
  }
  return told;
}

void RunManager::ListTenants(const admin::v1::ListTenantsRequest& request, TenantsReply reply) {
  const auto answer = [this, request, reply](const Usage& usage) {
    // One that was taken out of the configuration may have something stored.
    std::set<TenantId> names = expected_;
    for (const auto& [name, stored] : usage) {
      if (stored.records != 0) {
        names.insert(TenantId(name));
      }
    }
    const TenantRange range = RangeOf(request, names);
    admin::v1::ListTenantsResponse page;
    for (auto at = range.first; at != range.last; ++at) {
      const auto stored = usage.find(at->name());
      *page.add_tenants() = TenantNow(*at, stored == usage.end() ? RecordUsage() : stored->second);
    }
    page.set_next_page_token(range.next_page_token);
    reply(grpc::Status::OK, page);
  };
  if (records_ == nullptr) {
    return answer({});
  }
  auto usage = std::make_shared<Usage>();
  records_->Read(
      [usage](RunStore& store) -> absl::Status {
        ASSIGN_OR_RETURN(*usage, store.records().AllUsage());
        return absl::OkStatus();
      },
      [usage, answer, reply](const absl::Status& status) {
        if (!status.ok()) {
          spdlog::error("records: {}", Message(status));
          return reply(dispatcher::Refuse(Reason::kStorageFailed, "the records cannot be read"), {});
        }
        answer(*usage);
      });
}

}  // namespace caisson::dispatcher
