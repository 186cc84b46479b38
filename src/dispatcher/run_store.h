// Everything that outlives the dispatcher: records (record_store.h) and spools (spool.h) in one directory,
// within a volume and a time, with some room kept back so that what has begun can always be written to its
// end. Opened before the lockdown, then the record thread's.
#ifndef CAISSON_DISPATCHER_RUN_STORE_H_
#define CAISSON_DISPATCHER_RUN_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"
#include "dispatcher/record_store.h"
#include "dispatcher/spool.h"

namespace caisson::dispatcher {

struct RetentionLimits {
  uint64_t bytes = 2ULL << 30U;  // of each tenant's records and spools
  int64_t keep_ms = 86'400'000;  // after a run's end
};

class RunStore {
 public:
  static constexpr uint64_t kMaxRecords = 100'000;  // of each tenant
  // Taken from the disk and held. Given up when a run's end cannot be written otherwise; until it is back no
  // run is created.
  static constexpr uint64_t kBallastBytes = 4ULL << 20U;

  // Opens what is in `directory`, which is there, ours and nobody else's. Runs that were in flight have ended
  // with the service that ran them, and are recorded as such.
  static absl::StatusOr<std::unique_ptr<RunStore>> Open(const std::string& directory,
                                                        const RetentionLimits& limits);

  struct Creation {
    enum class Kind : uint8_t { kCreated, kSame, kOther, kNoRoom };
    Kind kind = Kind::kCreated;
    RunKey key = 0;          // kSame: of the run that is there
    v1::Run run;             // kSame
    std::string why;         // kNoRoom, for people
    bool by_policy = false;  // kNoRoom: there would be room without the tenant's own bound
  };
  // A run of CreateRun: its record and its spool, or the one that has its request_id already. Removes the
  // tenant's oldest finished runs where that makes room.
  absl::StatusOr<Creation> Create(const NewRecord& record, const SpoolSizes& room);
  // A run of another call: its record alone.
  absl::Status Add(const NewRecord& record);
  // The run of `record` has ended as its `run` says. One that was not stored yet, for want of room, is now.
  absl::Status Finish(const NewRecord& record);
  // The run was refused, and leaves nothing.
  absl::Status Forget(RunKey key, const RunId& id);
  // Removes what was kept long enough, few at a time. Milliseconds until there is something to remove again,
  // 0 if there is now; nothing: no run has ended.
  absl::StatusOr<std::optional<int64_t>> Expire();

  // Around everything that changes records; see RecordStore.
  absl::Status Begin(RecordStore::Durability durability) { return records_->Begin(durability); }
  absl::Status Commit();
  void Rollback();

  // Gives up the ballast. False: it was given up before.
  bool ReleaseBallast();

  RecordStore& records() { return *records_; }
  Spool& spool() { return spool_; }

 private:
  RunStore(std::unique_ptr<RecordStore> records, Spool spool, UniqueFd ballast,
           const RetentionLimits& limits);
  absl::Status Recover();
  absl::Status EndInFlight(const StoredRun& stored);
  bool TakeBallast();
  // OK: there is room for `bytes` more of the tenant's. kResourceExhausted: not even without what has ended.
  // `most` is what all of it may come to.
  absl::Status MakeRoom(const TenantId& tenant, uint64_t bytes, uint64_t most);
  // The wall clock as it was at the start, going on evenly: a clock that is set while we run expires nothing.
  int64_t NowMs() const;

  std::unique_ptr<RecordStore> records_;
  Spool spool_;
  UniqueFd ballast_;
  bool ballast_held_ = false;
  const RetentionLimits limits_;
  const int64_t start_unix_ms_;
  const int64_t start_ns_;
  std::vector<RunId> to_remove_;  // spools of records that the transaction removes
  std::vector<RunId> made_;       // spools of records that it adds
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_STORE_H_
