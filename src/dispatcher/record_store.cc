#include "dispatcher/record_store.h"

#include <string_view>
#include <utility>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kApplicationId = 0x43616973;  // "Cais"

// A run is found by its key, which is its place in time, by its id, and by its tenant with its number among
// that tenant's runs. `usage` is kept by triggers, so it cannot disagree with what is there.
constexpr char kSchema[] = R"sql(
PRAGMA application_id = 1130457459;
PRAGMA user_version = 3;
CREATE TABLE runs (
  key INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  number INTEGER NOT NULL,
  id BLOB NOT NULL,
  request_id TEXT,
  digest BLOB,
  ended_ms INTEGER,
  bytes INTEGER NOT NULL,
  run BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX runs_by_name ON runs (id, tenant);
CREATE UNIQUE INDEX runs_by_request ON runs (tenant, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX runs_by_tenant ON runs (tenant, number);
CREATE INDEX runs_by_end ON runs (ended_ms);
CREATE TABLE usage (tenant TEXT PRIMARY KEY, bytes INTEGER NOT NULL, records INTEGER NOT NULL) STRICT;
CREATE TRIGGER run_added AFTER INSERT ON runs BEGIN
  INSERT INTO usage VALUES (new.tenant, new.bytes, 1)
    ON CONFLICT (tenant) DO UPDATE SET bytes = bytes + new.bytes, records = records + 1;
END;
CREATE TRIGGER run_changed AFTER UPDATE OF bytes ON runs BEGIN
  UPDATE usage SET bytes = bytes + new.bytes - old.bytes WHERE tenant = new.tenant;
END;
CREATE TRIGGER run_removed AFTER DELETE ON runs BEGIN
  UPDATE usage SET bytes = bytes - old.bytes, records = records - 1 WHERE tenant = old.tenant;
END;
)sql";
static_assert(kApplicationId == 1130457459 && RecordStore::kSchemaVersion == 3);

// ORDER: the locking mode first: then the log has no index in shared memory, hence no third file, and every
// file is opened by the first statement.
constexpr char kSettings[] = R"sql(
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
PRAGMA cache_size = -8192;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
)sql";

absl::StatusOr<int64_t> ReadNumber(sqlite3* database, const char* sql) {
  ASSIGN_OR_RETURN(SqliteStatement statement, SqliteStatement::Prepare(database, sql));
  ASSIGN_OR_RETURN(const bool row, statement.Next());
  return row ? statement.Integer(0) : 0;
}

absl::Status CheckSound(sqlite3* database) {
  ASSIGN_OR_RETURN(SqliteStatement statement, SqliteStatement::Prepare(database, "PRAGMA quick_check(1)"));
  ASSIGN_OR_RETURN(const bool row, statement.Next());
  const std::string answer = row ? statement.Bytes(0) : "no answer";
  return answer == "ok" ? absl::OkStatus() : absl::DataLossError("records: " + answer);
}

absl::Status CheckVersion(sqlite3* database) {
  ASSIGN_OR_RETURN(const int64_t tables, ReadNumber(database, "SELECT count(*) FROM sqlite_master"));
  ASSIGN_OR_RETURN(const int64_t application, ReadNumber(database, "PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, ReadNumber(database, "PRAGMA user_version"));
  if (tables == 0 && application == 0 && version == 0) {
    const std::string all = std::string("BEGIN IMMEDIATE;") + kSchema + "COMMIT;";
    return ExecuteSql(database, all.c_str());
  }
  if (application != kApplicationId) {
    return absl::FailedPreconditionError(
        "is not a database of Caisson's; nothing in it was changed. Name another records_dir");
  }
  // Version 2 is this one without cpu_days, which PrepareCpu makes.
  if (version != 2 && version != RecordStore::kSchemaVersion) {
    return absl::FailedPreconditionError(
        "has schema version " + std::to_string(version) + ", this program knows " +
        std::to_string(RecordStore::kSchemaVersion) +
        "; nothing in it was changed. Start the version that wrote it, or name another records_dir");
  }
  return absl::OkStatus();
}

absl::Status SayWhatToDo(const absl::Status& status, const std::string& directory) {
  const std::string file = directory + "/records.db";
  if (absl::IsDataLoss(status)) {
    return absl::DataLossError(file + " is damaged (" + Message(status) + "). Put a copy of " + directory +
                               " back, or move it away (mv " + directory + " " + directory +
                               ".damaged): the runs in it are then forgotten");
  }
  if (absl::IsUnavailable(status)) {
    return absl::FailedPreconditionError(file + " is in use by another process: each caissond needs a " +
                                         "records_dir of its own");
  }
  return Prefix(status, file);
}

}  // namespace

struct RecordStore::Statements {
  SqliteStatement insert;
  SqliteStatement finish;
  SqliteStatement erase;
  SqliteStatement find;
  SqliteStatement find_any;
  SqliteStatement find_request;
  SqliteStatement list;
  SqliteStatement list_all;
  SqliteStatement live;
  SqliteStatement oldest;
  SqliteStatement ended_before;
  SqliteStatement usage;
  SqliteStatement earliest_end;
  SqliteStatement last_key;
  SqliteStatement live_bytes;
  SqliteStatement all_usage;
};

RecordStore::RecordStore(SqliteConnection database) : database_(std::move(database)) {}

RecordStore::~RecordStore() = default;

absl::StatusOr<std::unique_ptr<RecordStore>> RecordStore::Open(const std::string& directory) {
  sqlite3* raw = nullptr;
  const std::string file = directory + "/records.db";
  const int code = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  SqliteConnection database(raw);  // SQLite hands one out even where it fails
  if (code != SQLITE_OK) {
    return SayWhatToDo(SqliteStatus(raw, code, "open"), directory);
  }
  std::unique_ptr<RecordStore> store(new RecordStore(std::move(database)));
  if (const absl::Status status = store->SetUp(); !status.ok()) {
    return SayWhatToDo(status, directory);
  }
  return store;
}

absl::Status RecordStore::SetUp() {
  sqlite3* database = database_.get();
  // SQLite takes its seed from a file, the first time it needs one.
  uint8_t seeded = 0;
  sqlite3_randomness(sizeof seeded, &seeded);
  constexpr int kBusyMs = 2'000;  // whoever was killed a moment ago still holds it
  static_cast<void>(sqlite3_busy_timeout(database, kBusyMs));
  static_cast<void>(sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr));
  RETURN_IF_ERROR(ExecuteSql(database, kSettings));
  // Closing must not unlink the log: the lockdown lets nobody.
  int persist = 1;
  static_cast<void>(sqlite3_file_control(database, "main", SQLITE_FCNTL_PERSIST_WAL, &persist));
  RETURN_IF_ERROR(CheckVersion(database));
  RETURN_IF_ERROR(CheckSound(database));
  RETURN_IF_ERROR(PrepareAll());
  RETURN_IF_ERROR(PrepareCpu());
  // ORDER: a first write here and now. It opens whatever is still closed, and finds a disk that is full or
  // read-only while somebody reads what we say.
  return ExecuteSql(database, "BEGIN IMMEDIATE; PRAGMA user_version = 3; COMMIT;");
}

absl::Status RecordStore::PrepareAll() {
  constexpr char kColumns[] = "SELECT key, id, digest, run, tenant, number FROM runs ";
  const auto prepare = [this](const std::string& sql) {
    return SqliteStatement::Prepare(database_.get(), sql.c_str());
  };
  const std::string columns = kColumns;
  ASSIGN_OR_RETURN(SqliteStatement insert,
                   prepare("INSERT INTO runs (key, tenant, id, request_id, digest, bytes, run, number) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
  ASSIGN_OR_RETURN(SqliteStatement finish,
                   prepare("UPDATE runs SET ended_ms = ?2, bytes = ?3, run = ?4 WHERE key = ?1"));
  ASSIGN_OR_RETURN(SqliteStatement erase, prepare("DELETE FROM runs WHERE key = ?1"));
  ASSIGN_OR_RETURN(SqliteStatement find, prepare(columns + "WHERE tenant = ?1 AND id = ?2"));
  ASSIGN_OR_RETURN(SqliteStatement find_any, prepare(columns + "WHERE id = ?1"));
  ASSIGN_OR_RETURN(SqliteStatement find_request, prepare(columns + "WHERE tenant = ?1 AND request_id = ?2"));
  ASSIGN_OR_RETURN(SqliteStatement list,
                   prepare(columns + "WHERE tenant = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"));
  ASSIGN_OR_RETURN(SqliteStatement list_all, prepare(columns + "WHERE key < ?1 ORDER BY key DESC LIMIT ?2"));
  ASSIGN_OR_RETURN(SqliteStatement live, prepare(columns + "WHERE ended_ms IS NULL"));
  ASSIGN_OR_RETURN(SqliteStatement oldest,
                   prepare(columns + "WHERE tenant = ?1 AND ended_ms IS NOT NULL ORDER BY number LIMIT ?2"));
  ASSIGN_OR_RETURN(SqliteStatement ended_before,
                   prepare(columns + "WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT ?2"));
  ASSIGN_OR_RETURN(SqliteStatement usage, prepare("SELECT bytes, records FROM usage WHERE tenant = ?1"));
  ASSIGN_OR_RETURN(SqliteStatement earliest_end,
                   prepare("SELECT ended_ms FROM runs WHERE ended_ms IS NOT NULL ORDER BY ended_ms LIMIT 1"));
  ASSIGN_OR_RETURN(SqliteStatement all_usage, prepare("SELECT tenant, bytes, records FROM usage"));
  ASSIGN_OR_RETURN(SqliteStatement last_key, prepare("SELECT max(key) FROM runs"));
  ASSIGN_OR_RETURN(
      SqliteStatement live_bytes,
      prepare("SELECT coalesce(sum(bytes), 0) FROM runs WHERE ended_ms IS NULL AND tenant = ?1"));
  statements_.reset(new Statements{std::move(insert), std::move(finish), std::move(erase), std::move(find),
                                   std::move(find_any), std::move(find_request), std::move(list),
                                   std::move(list_all), std::move(live), std::move(oldest),
                                   std::move(ended_before), std::move(usage), std::move(earliest_end),
                                   std::move(last_key), std::move(live_bytes), std::move(all_usage)});
  return absl::OkStatus();
}

// --- Transactions
// -------------------------------------------------------------------------------------------------

absl::Status RecordStore::Begin(Durability durability) {
  if (durability_ != durability) {
    // NORMAL does not wait for the disk at a commit: what a killed process wrote is the kernel's already.
    RETURN_IF_ERROR(ExecuteSql(database_.get(), durability == Durability::kPower
                                                    ? "PRAGMA synchronous = FULL"
                                                    : "PRAGMA synchronous = NORMAL"));
    durability_ = durability;
  }
  return ExecuteSql(database_.get(), "BEGIN IMMEDIATE");
}

absl::Status RecordStore::Commit() { return ExecuteSql(database_.get(), "COMMIT"); }

void RecordStore::Rollback() {
  if (sqlite3_get_autocommit(database_.get()) == 0) {
    static_cast<void>(ExecuteSql(database_.get(), "ROLLBACK"));
  }
}

// --- Writing
// ------------------------------------------------------------------------------------------------------

namespace {

std::string_view AsText(const RunId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};  // SAFETY: bytes
}

// Rows of (key, id, digest, run, tenant, number).
absl::StatusOr<std::vector<StoredRun>> ReadRuns(SqliteStatement& statement) {
  std::vector<StoredRun> runs;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return runs;
    }
    StoredRun stored;
    stored.key = static_cast<RunKey>(statement.Integer(0));
    const std::string id = statement.Bytes(1);
    stored.digest = statement.Bytes(2);
    if (id.size() != stored.id.size() || !stored.run.ParseFromString(statement.Bytes(3))) {
      statement.Reset();
      return absl::DataLossError("a record cannot be read");
    }
    id.copy(reinterpret_cast<char*>(stored.id.data()), id.size());  // SAFETY: bytes
    stored.run.set_tenant(statement.Bytes(4));
    stored.number = static_cast<uint64_t>(statement.Integer(5));
    runs.push_back(std::move(stored));
  }
}

absl::StatusOr<std::optional<StoredRun>> ReadOne(SqliteStatement& statement) {
  ASSIGN_OR_RETURN(std::vector<StoredRun> runs, ReadRuns(statement));
  return runs.empty() ? std::nullopt : std::optional(std::move(runs.front()));
}

}  // namespace

absl::Status RecordStore::Insert(const NewRecord& record) {
  const std::string run = record.run.SerializeAsString();
  SqliteStatement& insert = statements_->insert;
  insert.Bind(1, static_cast<int64_t>(record.key));
  insert.BindText(2, record.tenant.name());
  insert.BindBlob(3, AsText(record.id));
  insert.BindTextOrNull(4, record.request_id);
  insert.BindBlob(5, record.digest);
  insert.Bind(6, static_cast<int64_t>(record.bytes + run.size() + kBytesOfOneRecord));
  insert.BindBlob(7, run);
  insert.Bind(8, static_cast<int64_t>(record.number));
  return insert.Run();
}

absl::Status RecordStore::Finish(RunKey key, const v1::Run& run, int64_t ended_ms, uint64_t spool_bytes) {
  const std::string text = run.SerializeAsString();
  SqliteStatement& finish = statements_->finish;
  finish.Bind(1, static_cast<int64_t>(key));
  finish.Bind(2, ended_ms);
  finish.Bind(3, static_cast<int64_t>(spool_bytes + text.size() + kBytesOfOneRecord));
  finish.BindBlob(4, text);
  RETURN_IF_ERROR(finish.Run());
  return sqlite3_changes(database_.get()) == 1 ? absl::OkStatus() : absl::NotFoundError("no such record");
}

absl::Status RecordStore::Erase(RunKey key) {
  statements_->erase.Bind(1, static_cast<int64_t>(key));
  return statements_->erase.Run();
}

// --- Reading
// ------------------------------------------------------------------------------------------------------

absl::StatusOr<std::optional<StoredRun>> RecordStore::Find(const Caller& caller, const RunId& id) {
  if (caller.role == Role::kOperator) {
    statements_->find_any.BindBlob(1, AsText(id));
    return ReadOne(statements_->find_any);
  }
  statements_->find.BindText(1, caller.tenant.name());
  statements_->find.BindBlob(2, AsText(id));
  return ReadOne(statements_->find);
}

absl::StatusOr<std::optional<StoredRun>> RecordStore::FindRequest(const TenantId& tenant,
                                                                  const std::string& request_id) {
  statements_->find_request.BindText(1, tenant.name());
  statements_->find_request.BindText(2, request_id);
  return ReadOne(statements_->find_request);
}

absl::StatusOr<std::vector<StoredRun>> RecordStore::List(const Caller& caller, uint64_t before, size_t most) {
  if (caller.role == Role::kOperator) {
    statements_->list_all.Bind(1, static_cast<int64_t>(before));
    statements_->list_all.Bind(2, static_cast<int64_t>(most));
    return ReadRuns(statements_->list_all);
  }
  statements_->list.BindText(1, caller.tenant.name());
  statements_->list.Bind(2, static_cast<int64_t>(before));
  statements_->list.Bind(3, static_cast<int64_t>(most));
  return ReadRuns(statements_->list);
}

absl::StatusOr<std::vector<StoredRun>> RecordStore::Live() { return ReadRuns(statements_->live); }

absl::StatusOr<std::vector<StoredRun>> RecordStore::Oldest(const TenantId& tenant, size_t most) {
  statements_->oldest.BindText(1, tenant.name());
  statements_->oldest.Bind(2, static_cast<int64_t>(most));
  return ReadRuns(statements_->oldest);
}

absl::StatusOr<std::vector<StoredRun>> RecordStore::EndedBefore(int64_t ended_ms, size_t most) {
  statements_->ended_before.Bind(1, ended_ms);
  statements_->ended_before.Bind(2, static_cast<int64_t>(most));
  return ReadRuns(statements_->ended_before);
}

absl::StatusOr<std::optional<int64_t>> RecordStore::EarliestEndMs() {
  SqliteStatement& statement = statements_->earliest_end;
  ASSIGN_OR_RETURN(const bool row, statement.Next());
  if (!row) {
    return std::nullopt;
  }
  const int64_t ended_ms = statement.Integer(0);
  statement.Reset();
  return ended_ms;
}

absl::StatusOr<RecordUsage> RecordStore::Usage(const TenantId& tenant) {
  SqliteStatement& statement = statements_->usage;
  statement.BindText(1, tenant.name());
  ASSIGN_OR_RETURN(const bool row, statement.Next());
  RecordUsage usage;
  if (row) {
    usage.bytes = static_cast<uint64_t>(statement.Integer(0));
    usage.records = static_cast<uint64_t>(statement.Integer(1));
    statement.Reset();
  }
  return usage;
}

absl::StatusOr<std::map<std::string, RecordUsage>> RecordStore::AllUsage() {
  SqliteStatement& statement = statements_->all_usage;
  std::map<std::string, RecordUsage> all;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, statement.Next());
    if (!row) {
      return all;
    }
    all[statement.Bytes(0)] = {static_cast<uint64_t>(statement.Integer(1)),
                               static_cast<uint64_t>(statement.Integer(2))};
  }
}

absl::StatusOr<RunKey> RecordStore::LastKey() {
  ASSIGN_OR_RETURN(const bool row, statements_->last_key.Next());
  const int64_t key = row ? statements_->last_key.Integer(0) : 0;
  statements_->last_key.Reset();
  return static_cast<RunKey>(key);
}

absl::StatusOr<uint64_t> RecordStore::LiveBytes(const TenantId& tenant) {
  SqliteStatement& statement = statements_->live_bytes;
  statement.BindText(1, tenant.name());
  ASSIGN_OR_RETURN(const bool row, statement.Next());
  const int64_t bytes = row ? statement.Integer(0) : 0;
  statement.Reset();
  return static_cast<uint64_t>(bytes);
}

}  // namespace caisson::dispatcher
