// Which server a command talks to, and the token it shows there. Run by the command line's user, whose files
// these are.
#ifndef CAISSON_CLI_SERVER_H_
#define CAISSON_CLI_SERVER_H_

#include <string>

#include "absl/status/statusor.h"

namespace caisson::cli {

inline constexpr char kTokenFileVariable[] = "CAISSON_TOKEN_FILE";

// As the command line says it; empty: the environment, then the default.
struct ServerOptions {
  std::string socket;
  std::string token_file;
};

struct Server {
  std::string address;  // as ResolveAddress returns it
  std::string token;    // empty: none is shown
};

// `socket` and `token_file` are what the environment says, or nullptr. kInvalidArgument for an address or a
// token file that is none.
absl::StatusOr<Server> ResolveServer(const ServerOptions& options, const char* socket,
                                     const char* token_file);

// The token that is all of FILE, but for a newline at its end. Refused if others than its owner can read the
// file: they would be whoever the token makes them. No message holds anything of the file.
absl::StatusOr<std::string> ReadTokenFile(const std::string& file);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_SERVER_H_
