// `caisson token`: makes bearer tokens and keeps the file that the daemon knows them by. Runs as whoever
// calls it; reads and replaces their file.
#ifndef CAISSON_CLI_TOKEN_COMMAND_H_
#define CAISSON_CLI_TOKEN_COMMAND_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson::cli {

struct TokenOptions {
  std::string file;  // create: empty is none
  std::string tenant;
  std::string role = "run";
  std::string expires;
  std::string note;
  std::string id;  // revoke
};

// Adds `token` with its commands.
CLI::App* AddToken(CLI::App& app, TokenOptions& options);

// "90d", "12h", "30m" from `now` on, or a time such as 2027-03-01T12:00:00Z; nothing for what is neither, not
// in the future, or more than ten years ahead.
std::optional<int64_t> ExpiryOf(std::string_view text, int64_t now);

// The one that was given; the exit code. A new token goes to standard output, and nowhere else.
int TokenCommand(const CLI::App& group, const TokenOptions& options);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_TOKEN_COMMAND_H_
