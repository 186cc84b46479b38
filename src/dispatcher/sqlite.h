// SQLite behind owners and statuses: a connection, a prepared statement, a transaction. Nothing of Caisson's
// own is in here. Used by one thread at a time.
#ifndef CAISSON_DISPATCHER_SQLITE_H_
#define CAISSON_DISPATCHER_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace caisson::dispatcher {

// kResourceExhausted where the disk is full, kDataLoss where the file is no sound database, kUnavailable
// where another process holds it; otherwise kInternal.
absl::Status SqliteStatus(sqlite3* database, int code, std::string_view what);

struct CloseSqlite {
  void operator()(sqlite3* database) const { static_cast<void>(sqlite3_close_v2(database)); }
};
using SqliteConnection = std::unique_ptr<sqlite3, CloseSqlite>;

// One statement, used again and again: bind every parameter, step, reset.
class SqliteStatement {
 public:
  static absl::StatusOr<SqliteStatement> Prepare(sqlite3* database, const char* sql);

  void Bind(int parameter, int64_t value);
  // Null where `text` is empty.
  void BindTextOrNull(int parameter, std::string_view text);
  void BindText(int parameter, std::string_view text);
  void BindBlob(int parameter, std::string_view bytes);

  // Runs to the end of a statement without rows.
  absl::Status Run();
  // True: there is a row, whose columns can be read until the next call. False: there is no more.
  absl::StatusOr<bool> Next();
  // To be called after a Next that returned true, unless all rows are wanted.
  void Reset();

  int64_t Integer(int column) { return sqlite3_column_int64(statement_.get(), column); }
  bool IsNull(int column) { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::string Bytes(int column);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { static_cast<void>(sqlite3_finalize(statement)); }
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  void Check(int code);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Runs `sql`, one or more statements whose rows are of no interest.
absl::Status ExecuteSql(sqlite3* database, const char* sql);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SQLITE_H_
