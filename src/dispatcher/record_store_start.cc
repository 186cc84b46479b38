// What the dispatcher asks of the records once, when it starts.
#include <map>
#include <set>
#include <string>

#include "common/status.h"
#include "dispatcher/record_store.h"

namespace caisson::dispatcher {

absl::StatusOr<std::map<TenantId, uint64_t>> RecordStore::LastNumbers() {
  ASSIGN_OR_RETURN(
      SqliteStatement statement,
      SqliteStatement::Prepare(database_.get(), "SELECT tenant, max(number) FROM runs GROUP BY tenant"));
  std::map<TenantId, uint64_t> numbers;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return numbers;
    }
    numbers.emplace(TenantId(statement.Bytes(0)), static_cast<uint64_t>(statement.Integer(1)));
  }
}

absl::StatusOr<std::set<RunId>> RecordStore::Ids() {
  ASSIGN_OR_RETURN(SqliteStatement statement,
                   SqliteStatement::Prepare(database_.get(), "SELECT id FROM runs"));
  std::set<RunId> ids;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return ids;
    }
    const std::string bytes = statement.Bytes(0);
    if (RunId id{}; bytes.size() == id.size()) {
      bytes.copy(reinterpret_cast<char*>(id.data()), id.size());  // SAFETY: bytes
      ids.insert(id);
    }
  }
}

}  // namespace caisson::dispatcher
