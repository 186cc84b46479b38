// Checks the paths of a request's files, each by itself and all against each other. Pure; client data,
// untrusted.
#ifndef CAISSON_DISPATCHER_FILE_PATHS_H_
#define CAISSON_DISPATCHER_FILE_PATHS_H_

#include <string_view>
#include <vector>

#include "dispatcher/errors.h"

namespace caisson::dispatcher {

// Violations name "files[INDEX].path": malformed, the same as an earlier one, or a file where another path
// needs a directory ("a" beside "a/b").
std::vector<FieldViolation> CheckFilePaths(const std::vector<std::string_view>& paths);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_FILE_PATHS_H_
