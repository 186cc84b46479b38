// caissond --check: tests every control on this host by using it, in short-lived children where a control
// would stick. Run as root, by caissond before it starts and by an operator. Reads /etc/passwd, /etc/subuid
// and kernel files.
#ifndef CAISSON_ORCHESTRATOR_HOST_CHECK_H_
#define CAISSON_ORCHESTRATOR_HOST_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/config.h"

namespace caisson::orchestrator {

// kWarn: caissond starts, but the operator should know. kFail: it must not start.
enum class CheckState : uint8_t { kOk, kWarn, kFail };

struct CheckResult {
  std::string name;  // stable, [a-z_]+
  CheckState state = CheckState::kOk;
  std::string detail;  // what was seen
  std::string mend;    // what to do about it; empty when there is nothing to do
};

// Every check, in the order in which an operator should mend them. Must be called before caissond has threads
// or has opened its cgroups: it forks, and on pure cgroup v2 it moves itself into a leaf and back. Leaves
// nothing behind.
std::vector<CheckResult> CheckHost(const Config& config);

// Whether caissond may start: nothing failed.
bool MayStart(const std::vector<CheckResult>& results);

// One line a check and, below it, how to mend it; ends with a line that sums up.
std::string FormatCheckText(const std::vector<CheckResult>& results);
// {"schema_version": 1, "ok": bool, "checks": [{"name", "state": "ok"|"warn"|"fail", "detail", "mend"}]}
std::string FormatCheckJson(const std::vector<CheckResult>& results);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_HOST_CHECK_H_
