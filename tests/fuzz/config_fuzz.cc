// Fuzzes what reads caissond's configuration. It is root's own file, so this is about robustness, and about
// what is accepted being what config.h promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"
#include "orchestrator/config.h"
#include "policy/json_document.h"

namespace {

using caisson::orchestrator::Config;
using caisson::orchestrator::ParseConfigText;

constexpr uint64_t kFirstFreeId = 65'536;
constexpr uint64_t kLastId = 4'294'967'293;
constexpr size_t kMostSocketBytes = 5 + 107;  // unix: and a path of sun_path

// Every complaint names the file and a line of it.
void CheckComplaints(const std::string& message) {
  size_t begin = 0;
  while (begin < message.size()) {
    const size_t end = std::min(message.find('\n', begin), message.size());
    const std::string line = message.substr(begin, end - begin);
    CAISSON_CHECK(line.starts_with("c.json:") && line.size() > 9);
    begin = end + 1;
  }
}

void CheckAccepted(const Config& config) {
  CAISSON_CHECK(config.socket.starts_with("unix:/") && config.socket.size() <= kMostSocketBytes);
  CAISSON_CHECK(config.state_dir.starts_with("/") && config.state_dir.find("/../") == std::string::npos);
  CAISSON_CHECK(config.profiles_dir.empty() || config.profiles_dir.starts_with("/"));
  CAISSON_CHECK(!config.user.empty() && config.user != "root");
  // No id of anybody real, and enough of them.
  CAISSON_CHECK(config.id_first >= kFirstFreeId);
  CAISSON_CHECK(uint64_t{config.id_first} + config.id_count - 1 <= kLastId);
  CAISSON_CHECK(config.id_count >= 2 && uint64_t{config.max_runs} * 2 <= config.id_count);
  CAISSON_CHECK(config.queue_length >= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = caisson::policy::ParseJson(text, "c.json");
  const auto config = ParseConfigText(text, "c.json");
  // What is no JSON is no configuration.
  CAISSON_CHECK(json.ok() || !config.ok());
  if (config.ok()) {
    CheckAccepted(*config);
  } else {
    CAISSON_CHECK(absl::IsInvalidArgument(config.status()));
    CheckComplaints(caisson::Message(config.status()));
  }
  return 0;
}
