#include "dispatcher/sqlite.h"

#include "common/status.h"

namespace caisson::dispatcher {

absl::Status SqliteStatus(sqlite3* database, int code, std::string_view what) {
  std::string message(what);
  message.append(": ").append(database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database));
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
      return absl::OkStatus();
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message);
    default:
      return absl::InternalError(message);
  }
}

absl::StatusOr<SqliteStatement> SqliteStatement::Prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) {
    return SqliteStatus(database, code, "prepare a statement");
  }
  return SqliteStatement(statement);
}

// Binding fails for a wrong number or for want of memory: neither is a state to go on from.
void SqliteStatement::Check(int code) { CAISSON_CHECK(code == SQLITE_OK); }

void SqliteStatement::Bind(int parameter, int64_t value) {
  Check(sqlite3_bind_int64(statement_.get(), parameter, value));
}

void SqliteStatement::BindText(int parameter, std::string_view text) {
  Check(sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT));  // NOLINT(performance-no-int-to-ptr)
}

void SqliteStatement::BindTextOrNull(int parameter, std::string_view text) {
  if (text.empty()) {
    Check(sqlite3_bind_null(statement_.get(), parameter));
  } else {
    BindText(parameter, text);
  }
}

void SqliteStatement::BindBlob(int parameter, std::string_view bytes) {
  Check(sqlite3_bind_blob(statement_.get(), parameter, bytes.data(), static_cast<int>(bytes.size()),
                          SQLITE_TRANSIENT));  // NOLINT(performance-no-int-to-ptr)
}

absl::Status SqliteStatement::Run() {
  const int code = sqlite3_step(statement_.get());
  absl::Status status = SqliteStatus(sqlite3_db_handle(statement_.get()), code, "write a record");
  Reset();
  return status;
}

absl::StatusOr<bool> SqliteStatement::Next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  absl::Status status = SqliteStatus(sqlite3_db_handle(statement_.get()), code, "read records");
  Reset();
  if (!status.ok()) {
    return status;
  }
  return false;
}

void SqliteStatement::Reset() { static_cast<void>(sqlite3_reset(statement_.get())); }

std::string SqliteStatement::Bytes(int column) {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

absl::Status ExecuteSql(sqlite3* database, const char* sql) {
  return SqliteStatus(database, sqlite3_exec(database, sql, nullptr, nullptr, nullptr), "records");
}

}  // namespace caisson::dispatcher
