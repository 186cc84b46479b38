// The CPU time of a day beside the records: so small, and changed by the same runs, that it is in the same
// file. Runs in caisson-dispatcher; tenants' names come from root's configuration.
#include <utility>

#include "common/status.h"
#include "dispatcher/record_store.h"

namespace caisson::dispatcher {

absl::Status RecordStore::PrepareCpu() {
  RETURN_IF_ERROR(ExecuteSql(database_.get(), R"sql(
CREATE TABLE IF NOT EXISTS cpu_days (
  tenant TEXT PRIMARY KEY,
  day INTEGER NOT NULL,
  used_ms INTEGER NOT NULL,
  held_ms INTEGER NOT NULL
) STRICT;
)sql"));
  ASSIGN_OR_RETURN(SqliteStatement set,
                   SqliteStatement::Prepare(database_.get(),
                                            "INSERT OR REPLACE INTO cpu_days (tenant, day, used_ms, held_ms) "
                                            "VALUES (?1, ?2, ?3, ?4)"));
  set_cpu_ = std::make_unique<SqliteStatement>(std::move(set));
  return absl::OkStatus();
}

absl::Status RecordStore::SetCpu(const TenantId& tenant, const CpuDay& day) {
  set_cpu_->BindText(1, tenant.name());
  set_cpu_->Bind(2, day.day);
  set_cpu_->Bind(3, static_cast<int64_t>(day.used_ms));
  set_cpu_->Bind(4, static_cast<int64_t>(day.held_ms));
  return set_cpu_->Run();
}

absl::StatusOr<CpuDays> RecordStore::AllCpu() {
  ASSIGN_OR_RETURN(
      SqliteStatement statement,
      SqliteStatement::Prepare(database_.get(), "SELECT tenant, day, used_ms, held_ms FROM cpu_days"));
  CpuDays days;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return days;
    }
    days.emplace(TenantId(statement.Bytes(0)),
                 CpuDay{statement.Integer(1), static_cast<uint64_t>(statement.Integer(2)),
                        static_cast<uint64_t>(statement.Integer(3))});
  }
}

}  // namespace caisson::dispatcher
