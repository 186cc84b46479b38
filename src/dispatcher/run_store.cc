#include "dispatcher/run_store.h"

#include <fcntl.h>
#include <google/protobuf/util/time_util.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <numeric>
#include <set>

#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr size_t kRemovedAtOnce = 64;

int64_t UnixMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

uint64_t Sum(const SpoolSizes& sizes) { return std::accumulate(sizes.begin(), sizes.end(), uint64_t{0}); }

absl::StatusOr<UniqueFd> OpenSpoolDirectory(const std::string& directory) {
  const std::string path = directory + "/spool";
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "make " + path);
  }
  return OpenFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

}  // namespace

RunStore::RunStore(std::unique_ptr<RecordStore> records, Spool spool, UniqueFd ballast,
                   const RetentionLimits& limits)
    : records_(std::move(records)),
      spool_(std::move(spool)),
      ballast_(std::move(ballast)),
      limits_(limits),
      start_unix_ms_(UnixMillis()),
      start_ns_(MonotonicNanos()) {}

absl::StatusOr<std::unique_ptr<RunStore>> RunStore::Open(const std::string& directory,
                                                         const RetentionLimits& limits) {
  // Whoever reads what clients wrote and ran is us alone.
  const mode_t before = umask(0077);
  absl::StatusOr<std::unique_ptr<RecordStore>> records = RecordStore::Open(directory);
  absl::StatusOr<UniqueFd> spool = OpenSpoolDirectory(directory);
  absl::StatusOr<UniqueFd> ballast = OpenFile(directory + "/ballast", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  umask(before);
  RETURN_IF_ERROR(records.status());
  RETURN_IF_ERROR(spool.status());
  RETURN_IF_ERROR(ballast.status());
  std::unique_ptr<RunStore> store(
      new RunStore(*std::move(records), Spool(*std::move(spool)), *std::move(ballast), limits));
  if (absl::Status status = store->Recover(); !status.ok()) {
    return Prefix(status, directory);
  }
  static_cast<void>(store->TakeBallast());  // without it we serve, and create nothing
  return store;
}

// --- After a crash
// -------------------------------------------------------------------------------------------------

absl::Status RunStore::EndInFlight(const StoredRun& stored) {
  v1::Run run = stored.run;
  run.set_state(v1::Run::FINISHED);
  *run.mutable_end_time() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(NowMs());
  v1::RunResult& result = *run.mutable_result();
  result.set_verdict(v1::SERVICE_FAILED);
  result.set_ended_by(v1::SERVICE);
  result.set_message("Caisson failed: the service ended while the run was in flight.");
  uint64_t bytes = 0;
  if (run.followable()) {
    static_cast<void>(spool_.Settle(stored.id));
    if (const absl::StatusOr<SpoolSizes> sizes = spool_.Sizes(stored.id); sizes.ok()) {
      bytes = Sum(*sizes);
      for (const auto& [count, part] : {std::pair(result.mutable_stdout(), SpoolPart::kStdout),
                                        std::pair(result.mutable_stderr(), SpoolPart::kStderr)}) {
        count->set_bytes(sizes->at(static_cast<size_t>(part)));
        count->set_delivered_bytes(count->bytes());
      }
    }
  }
  return records_->Finish(stored.key, run, NowMs(), bytes);
}

absl::Status RunStore::Recover() {
  ASSIGN_OR_RETURN(const std::vector<StoredRun> live, records_->Live());
  if (!live.empty()) {
    RETURN_IF_ERROR(Begin(RecordStore::Durability::kPower));
    for (const StoredRun& stored : live) {
      if (absl::Status status = EndInFlight(stored); !status.ok()) {
        Rollback();
        return status;
      }
    }
    RETURN_IF_ERROR(Commit());
  }
  // Spools whose record was never committed, or is gone.
  ASSIGN_OR_RETURN(const std::set<RunId> known, records_->Ids());
  ASSIGN_OR_RETURN(const std::vector<RunId> spooled, spool_.Runs());
  for (const RunId& run : spooled) {
    if (!known.contains(run)) {
      spool_.Remove(run);
    }
  }
  return absl::OkStatus();
}

// --- Room
// ---------------------------------------------------------------------------------------------------------

bool RunStore::TakeBallast() {
  if (!ballast_held_) {
    const int result = fallocate(ballast_.get(), 0, 0, static_cast<off_t>(kBallastBytes));
    // Where room cannot be taken, there is none to give up either.
    ballast_held_ = result == 0 || errno == EOPNOTSUPP;
  }
  return ballast_held_;
}

bool RunStore::ReleaseBallast() {
  return std::exchange(ballast_held_, false) && ftruncate(ballast_.get(), 0) == 0;
}

absl::Status RunStore::MakeRoom(const TenantId& tenant, uint64_t bytes, uint64_t most) {
  ASSIGN_OR_RETURN(const uint64_t live, records_->LiveBytes(tenant));
  if (bytes > most || live > most - bytes) {
    return absl::ResourceExhaustedError("the runs in flight hold what may be stored");
  }
  while (true) {
    ASSIGN_OR_RETURN(const RecordUsage usage, records_->Usage(tenant));
    if (usage.bytes <= most - bytes && usage.records < kMaxRecords) {
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const std::vector<StoredRun> oldest, records_->Oldest(tenant, 1));
    if (oldest.empty()) {
      return absl::ResourceExhaustedError("too many runs are in flight");
    }
    RETURN_IF_ERROR(Forget(oldest.front().key, oldest.front().id));
  }
}

// --- Runs
// ---------------------------------------------------------------------------------------------------------

absl::StatusOr<RunStore::Creation> RunStore::Create(const NewRecord& record, const SpoolSizes& room) {
  Creation creation;
  if (!record.request_id.empty()) {
    ASSIGN_OR_RETURN(std::optional<StoredRun> there, records_->FindRequest(record.tenant, record.request_id));
    if (there.has_value()) {
      creation.kind = there->digest == record.digest ? Creation::Kind::kSame : Creation::Kind::kOther;
      creation.key = there->key;
      creation.run = std::move(there->run);
      return creation;
    }
  }
  const auto no_room = [&creation](const std::string& why) {
    creation.kind = Creation::Kind::kNoRoom;
    creation.why = why;
    return creation;
  };
  if (!TakeBallast()) {
    return no_room("the disk is full");
  }
  NewRecord stored = record;
  stored.bytes = Sum(room);
  const uint64_t all = stored.bytes + record.run.ByteSizeLong() + RecordStore::kBytesOfOneRecord;
  const uint64_t most = std::min(limits_.bytes, record.most_bytes);
  if (absl::Status status = MakeRoom(record.tenant, all, most); absl::IsResourceExhausted(status)) {
    creation.by_policy = most < limits_.bytes;
    return no_room(Message(status));
  } else if (!status.ok()) {
    return status;
  }
  if (absl::Status status = spool_.Create(record.id, room); absl::IsResourceExhausted(status)) {
    return no_room("the disk is full");
  } else if (!status.ok()) {
    return status;
  }
  made_.push_back(record.id);
  RETURN_IF_ERROR(records_->Insert(stored));
  return creation;
}

absl::Status RunStore::Add(const NewRecord& record) {
  const uint64_t all = record.run.ByteSizeLong() + RecordStore::kBytesOfOneRecord;
  if (absl::Status status = MakeRoom(record.tenant, all, std::min(limits_.bytes, record.most_bytes));
      !status.ok() && !absl::IsResourceExhausted(status)) {
    return status;  // Without room it is stored all the same: it is small, and its run has been admitted.
  }
  return records_->Insert(record);
}

absl::Status RunStore::Finish(const NewRecord& record) {
  uint64_t bytes = 0;
  if (record.run.followable()) {
    // Room that cannot be given back is lost until the run is removed; the record is worth more.
    static_cast<void>(spool_.Settle(record.id));
    ASSIGN_OR_RETURN(const SpoolSizes sizes, spool_.Sizes(record.id));
    bytes = Sum(sizes);
  }
  absl::Status status = records_->Finish(record.key, record.run, NowMs(), bytes);
  if (absl::IsNotFound(status)) {
    RETURN_IF_ERROR(records_->Insert(record));
    status = records_->Finish(record.key, record.run, NowMs(), bytes);
  }
  return status;
}

absl::Status RunStore::Forget(RunKey key, const RunId& id) {
  RETURN_IF_ERROR(records_->Erase(key));
  to_remove_.push_back(id);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<int64_t>> RunStore::Expire() {
  ASSIGN_OR_RETURN(const std::vector<StoredRun> old,
                   records_->EndedBefore(NowMs() - limits_.keep_ms, kRemovedAtOnce));
  for (const StoredRun& stored : old) {
    RETURN_IF_ERROR(Forget(stored.key, stored.id));
  }
  if (old.size() == kRemovedAtOnce) {
    return 0;
  }
  ASSIGN_OR_RETURN(const std::optional<int64_t> next, records_->EarliestEndMs());
  if (!next.has_value()) {
    return std::nullopt;
  }
  return std::max<int64_t>(*next + limits_.keep_ms - NowMs() + 1, 0);
}

absl::Status RunStore::Commit() {
  RETURN_IF_ERROR(records_->Commit());
  made_.clear();
  // ORDER: the record first. A spool without one is removed at the next start; the other way round there
  // would be a record whose output is gone.
  for (const RunId& run : std::exchange(to_remove_, {})) {
    spool_.Remove(run);
  }
  return absl::OkStatus();
}

void RunStore::Rollback() {
  to_remove_.clear();
  records_->Rollback();
  for (const RunId& run : std::exchange(made_, {})) {
    spool_.Remove(run);
  }
}

int64_t RunStore::NowMs() const { return start_unix_ms_ + (MonotonicNanos() - start_ns_) / kNanosPerMilli; }

}  // namespace caisson::dispatcher
