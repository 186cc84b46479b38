// The JSON files of a directory of root's: profiles, policies.
#ifndef CAISSON_POLICY_JSON_FILES_H_
#define CAISSON_POLICY_JSON_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::policy {

// The names of the directory's *.json files, sorted, so that complaints come in a fixed order; at most 256.
absl::StatusOr<std::vector<std::string>> ListJsonFiles(const UniqueFd& directory, const std::string& shown);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_JSON_FILES_H_
