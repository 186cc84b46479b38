// Fuzzes what reads the kernel's text files: those of cgroups, and those of /proc from which the isolation
// report is made. The first byte says which. The kernel writes them, but paths and names in them are others'
// choice, and what is read wrongly here would be a limit or a layer that is not in force.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"
#include "orchestrator/cgroup_files.h"
#include "orchestrator/isolation_reader.h"
#include "orchestrator/mount_info.h"
#include "orchestrator/proc_text.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kMostCpuMillis = 1'000'000;
constexpr uint32_t kHostUid = 1'900'000'001;

void FuzzValue(std::string_view text) {
  const absl::StatusOr<uint64_t> value = ParseValue(text);
  if (!value.ok() || *value == kUnlimited) {
    return;
  }
  CAISSON_CHECK(*ParseValue(std::to_string(*value) + "\n") == *value);
  // What we would write for this many thousandths of a CPU is read back as the same.
  const uint64_t millis = *value % kMostCpuMillis + 1;
  const CpuBandwidth bandwidth = BandwidthFor(millis);
  const absl::StatusOr<uint64_t> back =
      CpuMillisFrom(std::to_string(bandwidth.quota_us), std::to_string(bandwidth.period_us));
  CAISSON_CHECK(back.ok() && *back == millis && bandwidth.quota_us >= 1'000);
  const absl::StatusOr<uint64_t> unified =
      ParseCpuMax(std::to_string(bandwidth.quota_us) + " " + std::to_string(bandwidth.period_us) + "\n");
  CAISSON_CHECK(unified.ok() && *unified == millis);
}

void FuzzKeyed(std::string_view text) {
  for (const std::string_view key : {"oom_kill", "max", "usage_usec", "anon"}) {
    const std::optional<uint64_t> value = FlatKeyed(text, key);
    CAISSON_CHECK(!value || text.find(key) != std::string_view::npos);
  }
}

void FuzzPids(std::string_view text) {
  const absl::StatusOr<std::vector<pid_t>> pids = ParsePids(text);
  if (!pids.ok()) {
    return;
  }
  for (const pid_t pid : *pids) {
    CAISSON_CHECK(pid > 0);  // 0 and -1 would kill more than one process
    CAISSON_CHECK(text.find(std::to_string(pid)) != std::string_view::npos);
  }
}

void FuzzWords(std::string_view text) {
  for (const std::string& word : ParseWords(text)) {
    CAISSON_CHECK(!word.empty() && word.find(' ') == std::string::npos);
    CAISSON_CHECK(!IsCgroupName(word) ||
                  (word.size() <= 64 && word.find_first_of("/._") == std::string::npos));
  }
}

void FuzzMembership(std::string_view text) {
  const auto memberships = ParseProcCgroup(text);
  if (!memberships.ok()) {
    return;
  }
  for (const CgroupMembership& membership : *memberships) {
    CAISSON_CHECK(!membership.unified || membership.controllers.empty());
    CAISSON_CHECK(membership.path.starts_with("/"));
  }
}

void FuzzStatus(std::string_view text) {
  ipc::IsolationReport report{};
  const absl::Status status = ParseProcStatus(text, report);
  if (status.ok()) {
    CAISSON_CHECK(StatusField(text, "Uid").has_value() && StatusField(text, "CapEff").has_value());
  }
  const absl::StatusOr<pid_t> parent = ParseParentPid(text);
  CAISSON_CHECK(!parent.ok() || *parent > 0);
  static_cast<void>(IsNamespaceInit(text));
}

// A map that reaches root, inside or on the host, is never told as one of the payload's.
void FuzzUidMap(std::string_view text) {
  ipc::IsolationReport report{};
  if (!ParseUidMap(text, kHostUid, report).ok()) {
    return;
  }
  while (!text.empty()) {
    const std::vector<std::string_view> words = SplitBlank(TakeLine(text));
    CAISSON_CHECK(words.size() == 3);
    for (const std::string_view id : {words[0], words[1]}) {
      CAISSON_CHECK(ParseNumber(id, 10) != 0 || report.uid_map_inside == 0);
    }
  }
}

void FuzzMounts(std::string_view text) {
  ipc::IsolationReport report{};
  const bool read = ParseMountInfo(text, std::nullopt, report).ok();
  const absl::StatusOr<std::vector<MountEntry>> entries = ParseMountEntries(text);
  CAISSON_CHECK(entries.ok() || !read);
  CAISSON_CHECK(!read || report.mount_count == entries->size());
}

void FuzzNetwork(std::string_view text) {
  ipc::IsolationReport report{};
  static_cast<void>(ParseNetDev(text, report));
  ParseFibTrie(text, report);
  ParseIfInet6(text, report);
}

}  // namespace
}  // namespace caisson::orchestrator

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace caisson::orchestrator;  // NOLINT(google-build-using-namespace)
  constexpr void (*kTargets[])(std::string_view) = {FuzzValue,  FuzzKeyed,      FuzzPids,
                                                    FuzzWords,  FuzzMembership, FuzzStatus,
                                                    FuzzUidMap, FuzzMounts,     FuzzNetwork};
  if (size != 0) {
    kTargets[data[0] % std::size(kTargets)](
        std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  }
  return 0;
}
