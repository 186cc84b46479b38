// Settings of the host that stand behind Caisson's own layers: none is needed for a layer to hold, each makes
// a kernel bug harder to use, a neighbour harder to watch, or a measurement truer. A weak one is a warning,
// never a reason not to start. Run as root by caissond --check; reads the kernel's own files and changes
// nothing.
#ifndef CAISSON_ORCHESTRATOR_HOST_HARDENING_H_
#define CAISSON_ORCHESTRATOR_HOST_HARDENING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/host_check.h"

namespace caisson::orchestrator {

// One file of the kernel with one setting in it.
struct HostSetting {
  const char* name;  // of its check
  const char* path;
  bool (*is_strong)(std::string_view text);
  const char* strong;  // what to say of it
  const char* weak;
  const char* absent;  // of a kernel that has no such file
  const char* mend;    // a command, as it is typed
};

const std::vector<HostSetting>& HostSettings();

// Pure. `text` is the file's, or nothing where the kernel has none.
CheckResult JudgeSetting(const HostSetting& setting, const std::optional<std::string>& text);

// Pure. {name, text} of each file in /sys/devices/system/cpu/vulnerabilities.
CheckResult JudgeVulnerabilities(const std::vector<std::pair<std::string, std::string>>& files);

// Pure. Days since 1970 of the date in what `uname -v` prints ("… (2025-05-22)", "… Wed Nov 12 10:22:33 UTC
// 2025"); nothing if there is none, or only a cut one.
std::optional<int64_t> KernelBuildDay(std::string_view version);
// Pure. Kernels get their mends as new versions: one that was built long ago lacks some.
CheckResult JudgeKernelAge(std::string_view version, int64_t today);

// All of the above on this host.
std::vector<CheckResult> ProbeHardening();

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_HOST_HARDENING_H_
