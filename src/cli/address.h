// Where the server listens, and what to tell a person when nothing answers there.
// Run by the command line's user; the address is the user's own.
#ifndef CAISSON_CLI_ADDRESS_H_
#define CAISSON_CLI_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"

namespace caisson::cli {

inline constexpr char kDefaultAddress[] = "unix:/run/caisson/caisson.sock";
inline constexpr char kSocketVariable[] = "CAISSON_SOCKET";

// The address to dial: `flag` if not empty, else `environment` (may be nullptr), else the default.
// "unix:PATH" and bare absolute paths are taken; anything else is kInvalidArgument, since the server has no
// other kind of listener.
absl::StatusOr<std::string> ResolveAddress(const std::string& flag, const char* environment);

// Tries the socket behind `address` with connect(2) and says, in half a sentence, what is wrong and what
// mends it: "no daemon listens on PATH; start it: sudo caissond". `caissond_runs`: there is one, which may be
// starting its dispatcher anew, or serve elsewhere.
std::string ExplainUnreachable(const std::string& address, bool caissond_runs);

// Whether this user sees a process named caissond.
bool CaissondRuns();

// Whether a server has been at a Unix socket's address (unix:/PATH) and is there or may come back: one that
// was killed leaves its socket.
bool MayAnswer(const std::string& address);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_ADDRESS_H_
