// caissond's configuration: a JSON file with a schema version, or the defaults. Read at start by caissond as
// root.
#ifndef CAISSON_ORCHESTRATOR_CONFIG_H_
#define CAISSON_ORCHESTRATOR_CONFIG_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "orchestrator/config_listeners.h"

namespace caisson::orchestrator {

enum class LogFormat : uint8_t { kText, kJson };

// Degradations an operator may accept by name; each result then says so. Nothing else is ever best effort.
enum class Degradation : uint8_t { kSwapUnbounded };

struct Config {
  std::string socket = "unix:/run/caisson/caisson.sock";
  std::string state_dir = "/run/caissond";  // root's own; lock, record of what to sweep, staging directory
  std::string records_dir = "/var/lib/caisson/records";  // the dispatcher's own: records and output of runs
  uint64_t records_bytes = 2ULL << 30U;                  // of each tenant
  uint64_t records_keep_seconds = 86'400;                // after a run's end
  std::string profiles_dir;           // empty: the installed directory, or profiles/ beside a build
  std::string user = "caisson";       // the dispatcher's user
  uint32_t id_first = 1'900'000'000;  // host ids for runs: two each
  uint32_t id_count = 65'536;
  uint32_t max_runs = 0;             // 0: derived from the host
  uint64_t memory_budget_bytes = 0;  // 0: three quarters of the host's memory
  uint32_t ready_sandboxes = 32;     // built ahead, all profiles together; 0: none
  uint32_t queue_length = 512;
  uint64_t cpu_budget_millis = 0;         // of all runs at work together; 0: none, CPU is shared
  std::string tenants_dir;                // tenants' policies; empty: each may have what profiles allow
  std::string tokens_file;                // bearer tokens; empty: there are none
  std::vector<ListenerConfig> listeners;  // beside `socket`, whose callers are the tenant "default"
  uint64_t grace_ms = 5'000;              // how long running runs may go on after SIGTERM
  std::string metrics;  // unix:/PATH where the dispatcher serves its metrics; empty: nowhere
  LogFormat log_format = LogFormat::kText;
  std::string log_level = "info";
  std::set<Degradation> accepted_degradations;
  std::set<std::string>
      learning_profiles;  // whose runs all learn; if there is any, nobody but root may connect
};

// The same from text; `file` appears in messages only. Pure.
absl::StatusOr<Config> ParseConfigText(std::string_view text, const std::string& file);

// Reads FILE; unknown, duplicate and wrongly typed keys, values out of range and contradictions are
// kInvalidArgument in the form "FILE:LINE: KEY: reason", one a line. The file must be root's and not writable
// by others.
absl::StatusOr<Config> LoadConfig(const std::string& file);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CONFIG_H_
