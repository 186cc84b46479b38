// The records of runs in one SQLite file, so that a run can be asked for after its client, and after us.
// Opened before the lockdown, with every file that SQLite will ever need
// (docs/adr/0014-records-in-the-dispatcher.md), then used by the record thread alone. Runs in
// caisson-dispatcher; a record holds names and labels that clients chose, which reach SQLite as bound values
// only.
#ifndef CAISSON_DISPATCHER_RECORD_STORE_H_
#define CAISSON_DISPATCHER_RECORD_STORE_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "dispatcher/run_host.h"
#include "dispatcher/run_name.h"
#include "dispatcher/sqlite.h"
#include "dispatcher/tenancy/cpu_ledger.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

struct NewRecord {
  RunKey key = 0;
  TenantId tenant;
  uint64_t number = 0;  // of its tenant's runs; grows as the key does
  RunId id{};
  std::string request_id;  // empty: none
  std::string digest;      // of the request's body, where there is a request_id
  uint64_t bytes = 0;      // what its spool takes
  uint64_t most_bytes = std::numeric_limits<uint64_t>::max();  // of its tenant, by its policy
  v1::Run run;
};

struct StoredRun {
  RunKey key = 0;
  uint64_t number = 0;
  RunId id{};
  std::string digest;
  v1::Run run;
};

// What one tenant's records and spools take, all together.
struct RecordUsage {
  uint64_t bytes = 0;
  uint64_t records = 0;
};

class RecordStore {
 public:
  static constexpr int kSchemaVersion = 3;
  // What a record takes besides its run and its spool.
  static constexpr uint64_t kBytesOfOneRecord = 512;

  // Opens `directory`/records.db, or makes it. kDataLoss if it is damaged, kFailedPrecondition if it is not
  // ours or of a newer version, kUnavailable if another process has it: each says what to do.
  static absl::StatusOr<std::unique_ptr<RecordStore>> Open(const std::string& directory);

  // One transaction at a time. After an error of anything in between: Rollback.
  enum class Durability : uint8_t { kProcess, kPower };  // what a commit survives the end of
  absl::Status Begin(Durability durability);
  absl::Status Commit();
  void Rollback();

  absl::Status Insert(const NewRecord& record);
  // `run` has ended; with its spool it takes `spool_bytes`. kNotFound if it was never stored.
  absl::Status Finish(RunKey key, const v1::Run& run, int64_t ended_ms, uint64_t spool_bytes);
  absl::Status Erase(RunKey key);

  // Another tenant's is not there; an operator finds everybody's.
  absl::StatusOr<std::optional<StoredRun>> Find(const Caller& caller, const RunId& id);
  absl::StatusOr<std::optional<StoredRun>> FindRequest(const TenantId& tenant, const std::string& request_id);
  // What the caller sees, newest first, with places (Caller::PlaceOf) below `before`, at most `most`.
  absl::StatusOr<std::vector<StoredRun>> List(const Caller& caller, uint64_t before, size_t most);
  // Those that have not ended, of all tenants.
  absl::StatusOr<std::vector<StoredRun>> Live();
  // The oldest that have ended: of one tenant, or of all before a time. At most `most`.
  absl::StatusOr<std::vector<StoredRun>> Oldest(const TenantId& tenant, size_t most);
  absl::StatusOr<std::vector<StoredRun>> EndedBefore(int64_t ended_ms, size_t most);
  // Of all runs of all tenants that have ended; nothing: none has.
  absl::StatusOr<std::optional<int64_t>> EarliestEndMs();

  absl::StatusOr<RecordUsage> Usage(const TenantId& tenant);
  absl::StatusOr<std::map<std::string, RecordUsage>> AllUsage();
  absl::StatusOr<RunKey> LastKey();
  // The highest of each tenant that has a record. For the start.
  absl::StatusOr<std::map<TenantId, uint64_t>> LastNumbers();
  // What those of `tenant` that have not ended take.
  absl::StatusOr<uint64_t> LiveBytes(const TenantId& tenant);
  // Of all tenants. For the start.
  absl::StatusOr<std::set<RunId>> Ids();

  // The CPU time of a tenant's day; that of all, for the start.
  absl::Status SetCpu(const TenantId& tenant, const CpuDay& day);
  absl::StatusOr<CpuDays> AllCpu();

 private:
  struct Statements;

  explicit RecordStore(SqliteConnection database);
  absl::Status SetUp();
  absl::Status PrepareAll();
  absl::Status PrepareCpu();

  SqliteConnection database_;
  std::unique_ptr<Statements> statements_;  // goes before the connection
  std::unique_ptr<SqliteStatement> set_cpu_;
  std::optional<Durability> durability_;

 public:
  ~RecordStore();
  RecordStore(const RecordStore&) = delete;
  RecordStore& operator=(const RecordStore&) = delete;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RECORD_STORE_H_
