// Changes of the file of tokens: each is whole or not at all, and two at a time wait for each other, by a
// lock file beside it. Run by whoever calls `caisson token`.
#ifndef CAISSON_CLI_TOKEN_STORE_H_
#define CAISSON_CLI_TOKEN_STORE_H_

#include <string>

#include "absl/status/status.h"

namespace caisson::cli {

// Adds `entry`, a JSON object, to the tokens of FILE, which is made where there is none. A file with a fault
// is kInvalidArgument, and left as it is.
absl::Status AddTokenEntry(const std::string& file, const std::string& entry);

// Takes the entry with this id away. kNotFound if there is none.
absl::Status RemoveTokenEntry(const std::string& file, const std::string& id);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_TOKEN_STORE_H_
