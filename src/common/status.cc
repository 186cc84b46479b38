#include "common/status.h"

#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace caisson {

absl::Status ErrnoStatus(int error_number, std::string_view what) {
  std::string message(what);
  message += ": ";
  if (error_number == 0) {
    // Somebody's mistake, and an error all the same: who asks for one has failed.
    return absl::InternalError(message + "it failed, and errno was lost");
  }
  message += std::generic_category().message(error_number);
  return {absl::ErrnoToStatusCode(error_number), message};
}

absl::Status Prefix(const absl::Status& status, std::string_view context) {
  std::string message(context);
  message += ": ";
  message += ToStd(status.message());
  return {status.code(), message};
}

void CheckFailed(const char* condition, const char* file, int line) {
  static_cast<void>(std::fprintf(stderr, "caisson: invariant broken: %s (%s:%d)\n", condition, file, line));
  std::abort();
}

}  // namespace caisson
