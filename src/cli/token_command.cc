#include "cli/token_command.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "cli/token_store.h"
#include "common/status.h"
#include "policy/token_file.h"

namespace caisson::cli {
namespace {

constexpr char kDefaultFile[] = "/etc/caisson/tokens.json";
constexpr int64_t kMostAheadSeconds = 3'660LL * 86'400;
constexpr char kReload[] = "the daemon takes it up at its next reload: systemctl reload caissond";

int Fail(const absl::Status& status) {
  Complain(Printable(Message(status)));
  return absl::IsInvalidArgument(status) ? kExitFindings : kExitService;
}

int64_t Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

nlohmann::ordered_json EntryOf(const TokenOptions& options, const std::string& token, int64_t expires) {
  nlohmann::ordered_json entry;
  entry["id"] = policy::TokenIdOf(token).value_or("");
  entry["sha256"] = policy::TokenDigestText(policy::DigestOfToken(token));
  entry["tenant"] = options.tenant;
  entry["role"] = options.role;
  entry["expires"] = policy::TimeText(expires);
  if (!options.note.empty()) {
    entry["note"] = options.note;
  }
  return entry;
}

// What the daemon would say of a file with this entry alone: a tenant or a note that is none.
absl::Status CheckEntry(const nlohmann::ordered_json& entry) {
  nlohmann::ordered_json document = {{"schema_version", 1}};
  document["tokens"] = nlohmann::ordered_json::array({entry});
  const std::string text = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return policy::ParseTokens(text, "token").status();
}

int Create(const TokenOptions& options) {
  const std::optional<int64_t> expires = ExpiryOf(options.expires, Now());
  if (!expires.has_value()) {
    Complain(
        "token create: --expires must be 90d, 12h, 30m or a time such as 2027-03-01T12:00:00Z, within ten "
        "years from now");
    return kExitUsage;
  }
  const std::string token = policy::MakeToken();
  const nlohmann::ordered_json entry = EntryOf(options, token, *expires);
  if (const absl::Status status = CheckEntry(entry); !status.ok()) {
    return Fail(status);
  }
  // ORDER: the file first. A token that was printed and is in no file would look like one.
  if (!options.file.empty()) {
    if (const absl::Status status = AddTokenEntry(options.file, entry.dump()); !status.ok()) {
      return Fail(status);
    }
    Complain("token " + entry["id"].get<std::string>() + " added to " + Printable(options.file) + "; " +
             kReload);
  } else {
    Complain("for \"tokens\" of the daemon's tokens_file: " + entry.dump());
  }
  return Print(token + "\n");
}

int List(const TokenOptions& options) {
  const std::string file = options.file.empty() ? kDefaultFile : options.file;
  const absl::StatusOr<std::string> text = policy::ReadTokenText(file, policy::FileTrust::kAnyOwner);
  if (!text.ok()) {
    return Fail(text.status());
  }
  const absl::StatusOr<std::vector<policy::TokenEntry>> tokens = policy::ParseTokens(*text, file);
  if (!tokens.ok()) {
    return Fail(tokens.status());
  }
  const int64_t now = Now();
  std::vector<std::vector<std::string>> rows = {{"ID", "TENANT", "ROLE", "EXPIRES", "STATE", "NOTE"}};
  for (const policy::TokenEntry& token : *tokens) {
    rows.push_back({token.id, token.tenant, policy::TokenRoleName(token.role),
                    policy::TimeText(token.expires), now < token.expires ? "valid" : "expired",
                    Printable(token.note)});
  }
  return Print(TableText(rows));
}

int Revoke(const TokenOptions& options) {
  const std::string file = options.file.empty() ? kDefaultFile : options.file;
  // Not repeated where it is no id: somebody may have given the token itself.
  if (!policy::IsTokenId(options.id)) {
    Complain("token revoke: ID must be the 12 hex digits after caisson_ of the token");
    return kExitUsage;
  }
  if (const absl::Status status = RemoveTokenEntry(file, options.id); !status.ok()) {
    return Fail(status);
  }
  return Print("token " + options.id + " revoked in " + Printable(file) + "; " + kReload + "\n");
}

}  // namespace

CLI::App* AddToken(CLI::App& app, TokenOptions& options) {
  CLI::App* group = app.add_subcommand("token", "Make, list and revoke the tokens that clients show");
  group->require_subcommand(1);
  CLI::App* create = group->add_subcommand("create", "Print a new token, once, and keep its digest");
  create->add_option("--tenant", options.tenant, "Whose clients it makes")->type_name("NAME")->required();
  create->add_option("--role", options.role, "run or observe (default: run)")
      ->check([](const std::string& text) {
        return text == "run" || text == "observe" ? "" : "must be run or observe, not " + text;
      })
      ->type_name("run|observe");
  create->add_option("--expires", options.expires, "90d, 12h, 30m, or a time: 2027-03-01T12:00:00Z")
      ->type_name("WHEN")
      ->required();
  create->add_option("--note", options.note, "Who has it, for people")->type_name("TEXT");
  create->add_option("--file", options.file, "Add it to this file (without: print the entry)")
      ->type_name("FILE");
  create->footer(
      "The token is printed on standard output; no file has it.\n\nExample:\n"
      "  sudo caisson token create --tenant web --expires 90d --file /etc/caisson/tokens.json");
  CLI::App* list = group->add_subcommand("list", "Whose tokens there are, and until when");
  CLI::App* revoke = group->add_subcommand("revoke", "Take a token out of the file");
  revoke->add_option("ID", options.id, "As `caisson token list` shows it")->required();
  for (CLI::App* command : {list, revoke}) {
    command
        ->add_option("--file", options.file,
                     std::string("The file of tokens (default: ") + kDefaultFile + ")")
        ->type_name("FILE");
  }
  return group;
}

std::optional<int64_t> ExpiryOf(std::string_view text, int64_t now) {
  std::optional<int64_t> expiry = policy::ParseTime(text);
  if (!expiry.has_value() && text.size() > 1) {
    const int64_t unit = text.back() == 'd'   ? 86'400
                         : text.back() == 'h' ? 3'600
                         : text.back() == 'm' ? 60
                                              : 0;
    const char* const end = text.data() + text.size() - 1;
    uint32_t count = 0;
    const auto [at, error] = std::from_chars(text.data(), end, count);
    if (unit != 0 && error == std::errc() && at == end) {
      expiry = now + int64_t{count} * unit;
    }
  }
  return expiry.has_value() && *expiry > now && *expiry - now <= kMostAheadSeconds ? expiry : std::nullopt;
}

int TokenCommand(const CLI::App& group, const TokenOptions& options) {
  if (group.got_subcommand("create")) {
    return Create(options);
  }
  return group.got_subcommand("list") ? List(options) : Revoke(options);
}

}  // namespace caisson::cli
