#include "orchestrator/config.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "policy/json_document.h"
#include "policy/nearest.h"
#include "policy/trusted_file.h"

namespace caisson::orchestrator {
namespace {

using policy::JsonObjectReader;
using policy::JsonValue;

constexpr uint64_t kSchemaVersion = 1;
constexpr size_t kMostSocketPathBytes = 107;  // sun_path with its NUL
constexpr size_t kMostPathBytes = 1024;
constexpr uint64_t kIdsOfOneRun = 2;
constexpr uint64_t kFirstFreeId =
    65'536;  // below are the host's users, nobody (65534) and the 16-bit overflow id
constexpr uint64_t kLastId = 4'294'967'293;  // (uid_t)-1 is "none", and -2 is nobody elsewhere
constexpr uint64_t kMostRuns = 1'000'000;
constexpr uint64_t kLeastBudgetBytes = 16ULL << 20U;
constexpr uint64_t kMostBudgetBytes = 1ULL << 50U;
constexpr uint64_t kMostCpuMillis = 1'000'000'000;
constexpr uint64_t kLongestQueue = 1'000'000;
constexpr uint64_t kMostReadySandboxes = 4'096;
constexpr uint64_t kLongestGraceMs = 600'000;
constexpr uint64_t kLeastRecordsBytes = 4ULL << 20U;
constexpr uint64_t kLongestKeepSeconds = 10ULL * 365 * 86'400;
constexpr std::array<std::string_view, 6> kLogLevels = {"trace", "debug", "info",
                                                        "warn",  "error", "critical"};

constexpr std::array<std::pair<std::string_view, Degradation>, 1> kDegradations = {{
    {"swap_unbounded", Degradation::kSwapUnbounded},
}};

bool IsAbsolutePath(const std::string& path) {
  return path.size() > 1 && path.size() <= kMostPathBytes && path[0] == '/' &&
         path.find("/../") == std::string::npos && !path.ends_with("/..");
}

bool IsSocketAddress(const std::string& text) {
  constexpr std::string_view kUnix = "unix:";
  const std::string path = text.starts_with(kUnix) ? text.substr(kUnix.size()) : std::string();
  return IsAbsolutePath(path) && path.size() <= kMostSocketPathBytes;
}

std::string SocketRule() {
  return "must be unix: and an absolute path of at most " + std::to_string(kMostSocketPathBytes) + " bytes";
}

// useradd(8)'s default rule for names.
bool IsUserName(const std::string& name) {
  constexpr char kFirst[] = "abcdefghijklmnopqrstuvwxyz_";
  constexpr char kRest[] = "abcdefghijklmnopqrstuvwxyz_0123456789-";
  return !name.empty() && name.size() <= 32 &&
         std::string_view(kFirst).find(name[0]) != std::string_view::npos &&
         name.find_first_not_of(kRest) == std::string::npos;
}

// Takes a number within [least, most]; 0 is fine too where it means "derived".
enum class Zero : uint8_t { kRefused, kMeansDerived };

template <typename T>
void ReadNumber(JsonObjectReader& reader, std::string_view key, uint64_t least, uint64_t most, Zero zero,
                T& into) {
  const std::optional<uint64_t> value = reader.Unsigned(key);
  if (!value) {
    return;
  }
  const bool derived = *value == 0 && zero == Zero::kMeansDerived;
  if (!derived && (*value < least || *value > most)) {
    reader.Complain(key, "must be " + std::string(zero == Zero::kMeansDerived ? "0 or " : "") + "from " +
                             std::to_string(least) + " to " + std::to_string(most));
    return;
  }
  into = static_cast<T>(*value);
}

enum class Empty : uint8_t { kRefused, kMeansNone };

void ReadDirectory(JsonObjectReader& reader, std::string_view key, Empty empty, std::string& into) {
  const std::optional<std::string> path = reader.String(key);
  if (!path) {
    return;
  }
  into = *path;
  const bool may_be_empty = empty == Empty::kMeansNone;
  if (!IsAbsolutePath(*path) && !(path->empty() && may_be_empty)) {
    reader.Complain(
        key, std::string("must be an absolute path without '..'") + (may_be_empty ? ", or empty" : ""));
  }
}

void ReadPlaces(JsonObjectReader& reader, Config& config) {
  if (const auto socket = reader.String("socket")) {
    config.socket = *socket;
    if (!IsSocketAddress(*socket)) {
      reader.Complain("socket", SocketRule() + "; there is no other listener");
    }
  }
  if (const auto metrics = reader.String("metrics")) {
    config.metrics = *metrics;
    if (!metrics->empty() && !IsSocketAddress(*metrics)) {
      reader.Complain("metrics", SocketRule() + ", or empty");
    } else if (*metrics == config.socket) {
      reader.Complain("metrics", "is the address of socket");
    }
  }
  ReadDirectory(reader, "state_dir", Empty::kRefused, config.state_dir);
  ReadDirectory(reader, "records_dir", Empty::kRefused, config.records_dir);
  ReadDirectory(reader, "profiles_dir", Empty::kMeansNone, config.profiles_dir);
  ReadDirectory(reader, "tenants_dir", Empty::kMeansNone, config.tenants_dir);
  if (const auto tokens_file = reader.String("tokens_file")) {
    config.tokens_file = *tokens_file;
    if (!tokens_file->empty() && (!IsAbsolutePath(*tokens_file) || tokens_file->back() == '/')) {
      reader.Complain("tokens_file", "must be the absolute path of a file without '..', or empty");
    }
  }
}

void ReadIds(JsonObjectReader& reader, Config& config) {
  if (const auto user = reader.String("user")) {
    config.user = *user;
    if (!IsUserName(*user)) {
      reader.Complain("user", "is not a user name");
    } else if (*user == "root") {
      reader.Complain("user", "must not be root: the dispatcher faces the clients");
    }
  }
  ReadNumber(reader, "id_first", kFirstFreeId, kLastId, Zero::kRefused, config.id_first);
  ReadNumber(reader, "id_count", kIdsOfOneRun, kLastId, Zero::kRefused, config.id_count);
  const uint64_t last = uint64_t{config.id_first} + config.id_count - 1;
  if (last > kLastId) {
    reader.Complain("id_count", "the range ends at " + std::to_string(last) + ", the last usable id is " +
                                    std::to_string(kLastId));
  }
}

void ReadBounds(JsonObjectReader& reader, Config& config) {
  ReadNumber(reader, "max_runs", 1, kMostRuns, Zero::kMeansDerived, config.max_runs);
  if (uint64_t{config.max_runs} * kIdsOfOneRun > config.id_count) {
    reader.Complain("max_runs", std::to_string(config.max_runs) + " runs need " +
                                    std::to_string(uint64_t{config.max_runs} * kIdsOfOneRun) +
                                    " ids, id_count is " + std::to_string(config.id_count));
  }
  ReadNumber(reader, "memory_budget_bytes", kLeastBudgetBytes, kMostBudgetBytes, Zero::kMeansDerived,
             config.memory_budget_bytes);
  ReadNumber(reader, "cpu_budget_millis", 1, kMostCpuMillis, Zero::kMeansDerived, config.cpu_budget_millis);
  ReadNumber(reader, "ready_sandboxes", 0, kMostReadySandboxes, Zero::kRefused, config.ready_sandboxes);
  ReadNumber(reader, "queue_length", 1, kLongestQueue, Zero::kRefused, config.queue_length);
  ReadNumber(reader, "records_bytes", kLeastRecordsBytes, kMostBudgetBytes, Zero::kRefused,
             config.records_bytes);
  ReadNumber(reader, "records_keep_seconds", 1, kLongestKeepSeconds, Zero::kRefused,
             config.records_keep_seconds);
  ReadNumber(reader, "grace_ms", 0, kLongestGraceMs, Zero::kRefused, config.grace_ms);
}

void ReadLogging(JsonObjectReader& reader, Config& config) {
  if (const auto format = reader.String("log_format")) {
    if (*format == "json") {
      config.log_format = LogFormat::kJson;
    } else if (*format == "text") {
      config.log_format = LogFormat::kText;
    } else {
      reader.Complain("log_format", "must be text or json");
    }
  }
  if (const auto level = reader.String("log_level")) {
    config.log_level = *level;
    if (std::find(kLogLevels.begin(), kLogLevels.end(), *level) == kLogLevels.end()) {
      reader.Complain("log_level", "must be trace, debug, info, warn, error or critical");
    }
  }
}

void ReadDegradations(JsonObjectReader& reader, Config& config) {
  const auto names = reader.StringArray("accepted_degradations");
  if (!names) {
    return;
  }
  for (const std::string& name : *names) {
    const auto* known = std::find_if(kDegradations.begin(), kDegradations.end(),
                                     [&](const auto& entry) { return entry.first == name; });
    if (known == kDegradations.end()) {
      std::vector<std::string> names_known;
      names_known.reserve(kDegradations.size());
      for (const auto& [known_name, degradation] : kDegradations) {
        names_known.emplace_back(known_name);
      }
      reader.Complain("accepted_degradations",
                      "no degradation '" + name + "'" + policy::DidYouMean(names_known, name));
    } else if (!config.accepted_degradations.insert(known->second).second) {
      reader.Complain("accepted_degradations", "'" + name + "' stands twice");
    }
  }
}

void ReadLearning(JsonObjectReader& reader, Config& config) {
  const auto names = reader.StringArray("learning_profiles");
  if (!names) {
    return;
  }
  for (const std::string& name : *names) {
    if (!config.learning_profiles.insert(name).second) {
      reader.Complain("learning_profiles", "'" + name + "' stands twice");
    }
  }
}

}  // namespace

absl::StatusOr<Config> ParseConfigText(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const JsonValue document, policy::ParseJson(text, file));
  std::vector<std::string> complaints;
  Config config;
  JsonObjectReader reader(document, file, "", complaints);
  reader.Any("$schema");  // for editors
  reader.Require("schema_version");
  if (reader.Unsigned("schema_version").value_or(kSchemaVersion) != kSchemaVersion) {
    reader.Complain("schema_version", "must be 1");
  }
  ReadPlaces(reader, config);
  ReadIds(reader, config);
  ReadBounds(reader, config);
  ReadLogging(reader, config);
  ReadDegradations(reader, config);
  ReadLearning(reader, config);
  ReadListeners(reader, config.socket, config.listeners);
  if (!config.listeners.empty() && !config.learning_profiles.empty()) {
    reader.Complain("listeners", "must be left out while profiles learn: then nobody but root may connect");
  }
  const bool by_token =
      std::any_of(config.listeners.begin(), config.listeners.end(),
                  [](const ListenerConfig& listener) { return listener.role == ipc::ClientRole::kByToken; });
  if (by_token && config.tokens_file.empty()) {
    reader.Complain("tokens_file", "must be there: a listener asks for tokens");
  } else if (!by_token && !config.tokens_file.empty()) {
    reader.Complain("tokens_file", "no listener asks for tokens: give one \"authentication\": \"token\"");
  }
  reader.Finish();
  RETURN_IF_ERROR(policy::ComplaintsToStatus(complaints));
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text,
                   policy::ReadTrustedFile(AT_FDCWD, file, file, policy::FileTrust::kRequireRootOwned));
  return ParseConfigText(text, file);
}

}  // namespace caisson::orchestrator
