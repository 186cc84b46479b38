#include "dispatcher/self_lockdown.h"

#include "common/status.h"
#include "dispatcher/self_filter.h"
#include "dispatcher/self_landlock.h"
#include "lockdown/unprivileged.h"

namespace caisson::dispatcher {

absl::Status LockDownToRecords(const std::set<std::string>& socket_directories,
                               const std::string& records_directory) {
  RETURN_IF_ERROR(lockdown::BecomeUnprivileged("root must not run the dispatcher; start caissond instead"));
  RETURN_IF_ERROR(RestrictFilesToRecords(socket_directories, records_directory));
  return LoadRecordsFilter();
}

absl::Status LockDown(const std::set<std::string>& socket_directories, int spool) {
  RETURN_IF_ERROR(RestrictFiles(socket_directories, spool));
  return LoadSelfFilter(spool);
}

}  // namespace caisson::dispatcher
