// The file of bearer tokens: what of a token the daemon knows, which is a digest and never the token itself.
// caissond reads and checks root's file, the dispatcher gets its text and reads it by the same code, `caisson
// token` writes it. Pure but for ReadTokenText.
#ifndef CAISSON_POLICY_TOKEN_FILE_H_
#define CAISSON_POLICY_TOKEN_FILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/profile_loader.h"
#include "policy/token_secret.h"

namespace caisson::policy {

inline constexpr size_t kMostTokens = 2'048;
inline constexpr size_t kMostTokenNoteBytes = 128;

// An operator belongs to no tenant and sees all of them: its users are named at its socket, and no secret
// that can be copied makes one.
enum class TokenRole : uint8_t { kRun, kObserve };
const char* TokenRoleName(TokenRole role);

struct TokenEntry {
  std::string id;
  TokenDigest digest{};
  std::string tenant;
  TokenRole role = TokenRole::kRun;
  int64_t expires = 0;  // seconds since 1970; from then on it is refused
  std::string note;     // for people
  int line = 0;
};

// kInvalidArgument with every complaint, "FILE:LINE: KEY: reason", one a line: unknown and duplicate keys,
// wrong types, an id or a digest that stands twice. An entry that has expired is none.
absl::StatusOr<std::vector<TokenEntry>> ParseTokens(std::string_view text, const std::string& file);

// The text of FILE, checked as `trust` says; errors as ReadTrustedFile's.
absl::StatusOr<std::string> ReadTokenText(const std::string& file, FileTrust trust);

// "2027-03-01T12:00:00Z": RFC 3339 in UTC and whole seconds, no other spelling. Years 1970 to 9999.
std::optional<int64_t> ParseTime(std::string_view text);
std::string TimeText(int64_t unix_seconds);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_TOKEN_FILE_H_
