// Run by caissond as root on root's file; by the dispatcher on what caissond packed; by caisson on what its
// user names.
#include "policy/token_file.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <set>
#include <utility>

#include "common/status.h"
#include "policy/json_document.h"
#include "policy/profile_source.h"
#include "policy/trusted_file.h"

namespace caisson::policy {
namespace {

constexpr uint64_t kSchemaVersion = 1;
// Somebody may have put a token itself somewhere in the file, and what is wrong with it goes to the log.
constexpr Quotes kQuotes = Quotes::kNothing;
constexpr char kTimeRule[] = "must be a time in UTC such as 2027-03-01T12:00:00Z";

// All of `text` as a number of digits; nothing for signs and spaces.
std::optional<int> Digits(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  int value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && at == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

bool IsPrintable(const std::string& text) {
  for (const char byte : text) {
    if (byte < ' ' || byte > '~') {
      return false;
    }
  }
  return true;
}

void ReadRole(JsonObjectReader& reader, TokenEntry& token) {
  reader.Require("role");
  const std::string role = reader.String("role").value_or("run");
  if (role == "observe") {
    token.role = TokenRole::kObserve;
  } else if (role == "operator") {
    reader.Complain("role", "must be run or observe: operators are named at a socket of theirs");
  } else if (role != "run") {
    reader.Complain("role", "must be run or observe");
  }
}

TokenEntry ReadEntry(JsonObjectReader& reader, int line) {
  TokenEntry token;
  token.line = line;
  for (const char* key : {"id", "sha256", "tenant", "expires"}) {
    reader.Require(key);
  }
  if (const auto id = reader.String("id")) {
    token.id = *id;
    if (!IsTokenId(*id)) {
      reader.Complain("id", "must be " + std::to_string(kTokenIdBytes) + " lower-case hex digits");
    }
  }
  if (const auto text = reader.String("sha256")) {
    const std::optional<TokenDigest> digest = ParseTokenDigest(*text);
    if (!digest.has_value()) {
      reader.Complain("sha256", "must be 64 lower-case hex digits");
    }
    token.digest = digest.value_or(TokenDigest{});
  }
  if (const auto tenant = reader.String("tenant")) {
    token.tenant = *tenant;
    if (!IsProfileName(*tenant)) {  // the same closed alphabet
      reader.Complain(
          "tenant",
          "must be a lower-case letter and then lower-case letters, digits and '-', at most 63 bytes");
    }
  }
  ReadRole(reader, token);
  if (const auto text = reader.String("expires")) {
    const std::optional<int64_t> time = ParseTime(*text);
    if (!time.has_value()) {
      reader.Complain("expires", kTimeRule);
    }
    token.expires = time.value_or(0);
  }
  token.note = reader.String("note").value_or("");
  if (token.note.size() > kMostTokenNoteBytes || !IsPrintable(token.note)) {
    reader.Complain("note",
                    "must be at most " + std::to_string(kMostTokenNoteBytes) + " printable characters");
  }
  reader.Finish(kQuotes);
  return token;
}

// One token, one entry: with two of them nobody could say which holds, and revoking one would do nothing.
void RefuseTwins(const std::vector<TokenEntry>& tokens, const std::string& file,
                 std::vector<std::string>& complaints) {
  std::set<std::string> ids;
  std::set<TokenDigest> digests;
  for (const TokenEntry& token : tokens) {
    if (!ids.insert(token.id).second) {
      complaints.push_back(Complaint(file, token.line, "tokens", "an id stands twice"));
    } else if (!digests.insert(token.digest).second) {
      complaints.push_back(Complaint(file, token.line, "tokens", "a sha256 stands twice"));
    }
  }
}

void ReadEntries(JsonObjectReader& reader, std::vector<TokenEntry>& tokens) {
  reader.Require("tokens");
  const JsonValue* array = reader.Array("tokens");
  if (array == nullptr) {
    return;
  }
  if (array->items.size() > kMostTokens) {
    reader.Complain("tokens", "are more than " + std::to_string(kMostTokens));
    return;
  }
  for (const JsonValue& item : array->items) {
    const std::string path = reader.KeyPath("tokens") + "[" + std::to_string(tokens.size()) + "]";
    if (item.type != JsonValue::Type::kObject) {
      reader.complaints().push_back(Complaint(
          reader.file(), item.line, path, std::string("must be an object, not ") + TypeInWords(item.type)));
      return;
    }
    JsonObjectReader entry(item, reader.file(), path, reader.complaints());
    tokens.push_back(ReadEntry(entry, item.line));
  }
}

}  // namespace

const char* TokenRoleName(TokenRole role) { return role == TokenRole::kObserve ? "observe" : "run"; }

absl::StatusOr<std::vector<TokenEntry>> ParseTokens(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const JsonValue document, ParseJson(text, file, kQuotes));
  std::vector<std::string> complaints;
  std::vector<TokenEntry> tokens;
  JsonObjectReader reader(document, file, "", complaints);
  reader.Any("$schema");  // for editors
  reader.Require("schema_version");
  if (reader.Unsigned("schema_version").value_or(kSchemaVersion) != kSchemaVersion) {
    reader.Complain("schema_version", "must be 1");
  }
  ReadEntries(reader, tokens);
  reader.Finish(kQuotes);
  if (complaints.empty()) {
    RefuseTwins(tokens, file, complaints);
  }
  RETURN_IF_ERROR(ComplaintsToStatus(complaints));
  return tokens;
}

absl::StatusOr<std::string> ReadTokenText(const std::string& file, FileTrust trust) {
  const size_t slash = file.rfind('/');
  if (slash == std::string::npos) {
    return ReadTrustedFile(AT_FDCWD, file, file, trust);
  }
  // Whoever can write the directory can put another file in the place of this one.
  ASSIGN_OR_RETURN(const UniqueFd directory,
                   OpenTrustedDirectory(slash == 0 ? "/" : file.substr(0, slash), trust));
  return ReadTrustedFile(directory.get(), file.substr(slash + 1), file, trust);
}

std::optional<int64_t> ParseTime(std::string_view text) {
  if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text[19] != 'Z') {
    return std::nullopt;
  }
  const auto year = Digits(text.substr(0, 4));
  const auto month = Digits(text.substr(5, 2));
  const auto day = Digits(text.substr(8, 2));
  const auto hour = Digits(text.substr(11, 2));
  const auto minute = Digits(text.substr(14, 2));
  const auto second = Digits(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second || *year < 1970 || *hour > 23 || *minute > 59 ||
      *second > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned int>(*month)),
                                         std::chrono::day(static_cast<unsigned int>(*day)));
  if (!date.ok()) {
    return std::nullopt;
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86'400 + int64_t{*hour} * 3'600 + int64_t{*minute} * 60 + *second;
}

std::string TimeText(int64_t unix_seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                    static_cast<unsigned int>(date.month()), static_cast<unsigned int>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<size_t>(std::max(size, 0))};
}

}  // namespace caisson::policy
