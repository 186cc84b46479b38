// The single probes of host_check, by subject. Each uses the control it names; none leaves anything behind.
#ifndef CAISSON_ORCHESTRATOR_HOST_PROBES_H_
#define CAISSON_ORCHESTRATOR_HOST_PROBES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/config.h"
#include "orchestrator/host_check.h"

namespace caisson::orchestrator {

// Runs `probe` in a forked child and brings its status back. The child is killed after ten seconds, and dies
// with the caller. Needs a process with one thread.
absl::Status InChild(const std::function<absl::Status()>& probe);

// kOk with `detail`, or kFail with the status's message and `mend`.
CheckResult FromStatus(const std::string& name, const absl::Status& status, const std::string& detail,
                       const std::string& mend);

std::vector<CheckResult> ProbeNamespaces();
std::vector<CheckResult> ProbeUserNamespace(uint32_t id_first);
std::vector<CheckResult> ProbeNetwork();  // what only profiles with a network need: it warns
std::vector<CheckResult> ProbeMounts();
std::vector<CheckResult> ProbeProcesses();  // pidfds, memfds, close_range
std::vector<CheckResult> ProbeSeccomp();
std::vector<CheckResult> ProbeLandlock();
std::vector<CheckResult> ProbeCgroups(const Config& config);
std::vector<CheckResult> ProbeSetup(const Config& config);  // user, id_range, state_dir
// The whole of it: builds a sandbox, examines it, runs a program in it. Fails for a caissond that was built
// without a layer.
CheckResult ProbeSandbox(const Config& config);

// Pure. What mends a refused user namespace: where the host's AppArmor restricts them (`restriction` is what
// kernel.apparmor_restrict_unprivileged_userns holds), the profile that Caisson brings; then `otherwise`.
std::string UserNamespaceMend(std::string_view restriction, const std::string& otherwise);

// Pure. The first id of [first, first + count) that a line of passwd or group (field 2) or of subuid or
// subgid (a range) also has, as "NAME has uid 1000"; empty if there is none. Malformed lines are skipped, as
// the C library does.
std::string FindIdOverlap(std::string_view passwd_or_group, std::string_view subids, uint32_t first,
                          uint32_t count);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_HOST_PROBES_H_
