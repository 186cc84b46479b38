// The pure half of isolation_reader.h: text made by the kernel to fields of the report.
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "orchestrator/isolation_reader.h"
#include "orchestrator/mount_info.h"
#include "orchestrator/proc_text.h"

namespace caisson::orchestrator {
namespace {

constexpr int kHexBase = 16;
constexpr int kDecimalBase = 10;
constexpr size_t kIdColumns = 4;  // real, effective, saved, file system

absl::Status Malformed(const std::string& what) {
  return absl::InvalidArgumentError("parse " + what + ": malformed");
}

absl::Status Number(std::string_view status, const char* key, int base, uint64_t& value) {
  const std::optional<std::string_view> field = StatusField(status, key);
  const std::optional<uint64_t> number = field ? ParseNumber(*field, base) : std::nullopt;
  if (!number) {
    return Malformed(std::string("status ") + key);
  }
  value = *number;
  return absl::OkStatus();
}

absl::Status Small(std::string_view status, const char* key, uint32_t& value) {
  uint64_t number = 0;
  RETURN_IF_ERROR(Number(status, key, kDecimalBase, number));
  if (number > std::numeric_limits<uint32_t>::max()) {
    return Malformed(std::string("status ") + key);
  }
  value = static_cast<uint32_t>(number);
  return absl::OkStatus();
}

// One id, if all four of the line are the same: a process that can switch back is not locked.
absl::Status FourIds(std::string_view status, const char* key, uint32_t& id) {
  const std::optional<std::string_view> field = StatusField(status, key);
  const std::vector<std::string_view> columns = field ? SplitBlank(*field) : std::vector<std::string_view>();
  if (columns.size() != kIdColumns) {
    return Malformed(std::string("status ") + key);
  }
  for (const std::string_view column : columns) {
    if (column != columns[0]) {
      return absl::FailedPreconditionError(std::string("read isolation: the four ids of ") + key + " differ");
    }
  }
  const std::optional<uint64_t> number = ParseNumber(columns[0], kDecimalBase);
  if (!number || *number > std::numeric_limits<uint32_t>::max()) {
    return Malformed(std::string("status ") + key);
  }
  id = static_cast<uint32_t>(*number);
  return absl::OkStatus();
}

struct IdMapLine {
  uint64_t inside = 0;
  uint64_t outside = 0;
  uint64_t count = 0;
};

std::optional<IdMapLine> ParseIdMapLine(std::string_view text) {
  constexpr uint64_t kIds = uint64_t{1} << 32U;
  const std::vector<std::string_view> columns = SplitBlank(text);
  IdMapLine line;
  const std::array<uint64_t*, 3> targets{&line.inside, &line.outside, &line.count};
  if (columns.size() != targets.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    const std::optional<uint64_t> number = ParseNumber(columns[i], kDecimalBase);
    if (!number || *number >= kIds) {
      return std::nullopt;
    }
    *targets[i] = *number;
  }
  return line;
}

bool IsReadOnly(const MountEntry& mount) {
  return HasOption(mount.options, "ro") || HasOption(mount.super_options, "ro");
}

bool IsWorkMount(const MountEntry& mount) {
  return mount.type == "tmpfs" &&
         (mount.mount_point == "/box" || mount.mount_point == "/tmp" || mount.mount_point == "/dev/shm");
}

bool IsPtyMount(const MountEntry& mount) { return mount.type == "devpts" && mount.mount_point == "/dev/pts"; }

// What init mounts for every sandbox, and no profile can have as a target.
bool IsMadeByInit(const MountEntry& mount) {
  return (mount.type == "tmpfs" && (mount.mount_point == "/" || mount.mount_point == "/dev")) ||
         (mount.type == "proc" && mount.mount_point == "/proc") || IsWorkMount(mount) || IsPtyMount(mount);
}

bool IsOfImage(const std::vector<MountEntry>& mounts, dev_t image) {
  size_t of_image = 0;
  for (const MountEntry& mount : mounts) {
    if (!IsMadeByInit(mount)) {
      if (mount.major != major(image) || mount.minor != minor(image)) {
        return false;
      }
      ++of_image;
    }
  }
  return of_image > 0;
}

bool IsMinimalDev(const MountEntry& mount) {
  return mount.type == "tmpfs" && mount.mount_point == "/dev" && IsReadOnly(mount);
}

bool IsRestrictedProc(const MountEntry& mount) {
  return mount.mount_point == "/proc" && HasOption(mount.super_options, "subset=pid") &&
         (HasOption(mount.super_options, "hidepid=invisible") || HasOption(mount.super_options, "hidepid=2"));
}

bool IsPrivate(const MountEntry& mount) {
  return std::all_of(mount.propagation.begin(), mount.propagation.end(),
                     [](const std::string& word) { return word == "unbindable"; });
}

}  // namespace

absl::Status ParseProcStatus(std::string_view text, ipc::IsolationReport& report) {
  RETURN_IF_ERROR(FourIds(text, "Uid", report.payload_host_uid));
  RETURN_IF_ERROR(FourIds(text, "Gid", report.payload_host_gid));
  const std::optional<std::string_view> groups = StatusField(text, "Groups");
  if (!groups) {
    return Malformed("status Groups");
  }
  report.supplementary_groups = static_cast<uint32_t>(SplitBlank(*groups).size());
  RETURN_IF_ERROR(Number(text, "CapInh", kHexBase, report.cap_inheritable));
  RETURN_IF_ERROR(Number(text, "CapPrm", kHexBase, report.cap_permitted));
  RETURN_IF_ERROR(Number(text, "CapEff", kHexBase, report.cap_effective));
  RETURN_IF_ERROR(Number(text, "CapBnd", kHexBase, report.cap_bounding));
  RETURN_IF_ERROR(Number(text, "CapAmb", kHexBase, report.cap_ambient));
  RETURN_IF_ERROR(Small(text, "NoNewPrivs", report.no_new_privs));
  RETURN_IF_ERROR(Small(text, "Seccomp", report.seccomp_mode));
  return Small(text, "Seccomp_filters", report.seccomp_filters);
}

absl::Status ParseUidMap(std::string_view text, uint32_t payload_host_uid, ipc::IsolationReport& report) {
  std::optional<uint64_t> inside_payload;
  bool reaches_root = false;
  while (!text.empty()) {
    const std::optional<IdMapLine> line = ParseIdMapLine(TakeLine(text));
    if (!line) {
      return Malformed("uid_map");
    }
    reaches_root = reaches_root || line->inside == 0 || line->outside == 0;
    if (payload_host_uid >= line->outside && payload_host_uid - line->outside < line->count) {
      inside_payload = line->inside + (payload_host_uid - line->outside);
    }
  }
  if (!inside_payload) {
    return absl::InvalidArgumentError("parse uid_map: no line for the payload's uid");
  }
  report.uid_map_inside = reaches_root ? 0 : static_cast<uint32_t>(*inside_payload);
  return absl::OkStatus();
}

absl::Status ParseMountInfo(std::string_view text, std::optional<dev_t> image, ipc::IsolationReport& report) {
  ASSIGN_OR_RETURN(const std::vector<MountEntry> mounts, ParseMountEntries(text));
  bool has_root = false;
  bool read_only = true;
  bool nosuid = true;
  bool nodev = true;
  bool is_private = true;
  size_t proc_mounts = 0;
  size_t restricted_proc_mounts = 0;
  for (const MountEntry& mount : mounts) {
    has_root = has_root || mount.mount_point == "/";
    read_only = read_only && (IsReadOnly(mount) || IsWorkMount(mount) || IsPtyMount(mount));
    nosuid = nosuid && HasOption(mount.options, "nosuid");
    nodev = nodev && (HasOption(mount.options, "nodev") || IsMinimalDev(mount) || IsPtyMount(mount));
    is_private = is_private && IsPrivate(mount);
    proc_mounts += mount.type == "proc" ? 1U : 0U;
    restricted_proc_mounts += mount.type == "proc" && IsRestrictedProc(mount) ? 1U : 0U;
  }
  if (!has_root) {
    return absl::InvalidArgumentError("parse mountinfo: no root");
  }
  report.root = image && IsOfImage(mounts, *image) ? ipc::RootKind::kImage : ipc::RootKind::kHost;
  report.mount_count = static_cast<uint32_t>(mounts.size());
  report.mounts = (read_only ? ipc::kMountRootReadOnly : 0U) | (nosuid ? ipc::kMountAllNosuid : 0U) |
                  (nodev ? ipc::kMountAllNodevButDev : 0U) | (is_private ? ipc::kMountPrivate : 0U) |
                  (proc_mounts == 1 && restricted_proc_mounts == 1 ? ipc::kMountProcRestricted : 0U);
  return absl::OkStatus();
}

absl::Status ParseNetDev(std::string_view text, ipc::IsolationReport& report) {
  constexpr int kHeadingLines = 2;
  uint32_t others = 0;
  int line_number = 0;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (++line_number <= kHeadingLines) {
      if (line.find('|') == std::string_view::npos) {
        return Malformed("net/dev");
      }
      continue;
    }
    const size_t start = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(start);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return Malformed("net/dev");
    }
    others += line.substr(0, colon) == "lo" ? 0U : 1U;
  }
  if (line_number < kHeadingLines) {
    return Malformed("net/dev");
  }
  report.network_interfaces = others;
  return absl::OkStatus();
}

// A leaf is "|-- 127.0.0.1", then what it is: "/32 host LOCAL". Both tables of a namespace are shown, so that
// addresses may come twice; every leaf counts, those of broadcasts and of routes too.
void ParseFibTrie(std::string_view text, ipc::IsolationReport& report) {
  constexpr std::string_view kLeaf = "|-- ";
  while (!text.empty()) {
    report.loopback_up = 1;
    const std::string_view line = TakeLine(text);
    const size_t leaf = line.find(kLeaf);
    if (leaf != std::string_view::npos && !line.substr(leaf + kLeaf.size()).starts_with("127.")) {
      ++report.network_addresses;
    }
  }
}

void ParseIfInet6(std::string_view text, ipc::IsolationReport& report) {
  constexpr std::string_view kLocalhost = "00000000000000000000000000000001 ";
  while (!text.empty()) {
    report.loopback_up = 1;
    report.network_addresses += TakeLine(text).starts_with(kLocalhost) ? 0U : 1U;
  }
}

absl::StatusOr<pid_t> ParseParentPid(std::string_view status) {
  const std::optional<std::string_view> field = StatusField(status, "PPid");
  const std::optional<uint64_t> pid = field ? ParseNumber(*field, kDecimalBase) : std::nullopt;
  if (!pid || *pid == 0 || *pid > static_cast<uint64_t>(std::numeric_limits<pid_t>::max())) {
    return Malformed("status PPid");
  }
  return static_cast<pid_t>(*pid);
}

bool IsNamespaceInit(std::string_view status) {
  const std::optional<std::string_view> field = StatusField(status, "NSpid");
  const std::vector<std::string_view> pids = field ? SplitBlank(*field) : std::vector<std::string_view>();
  return pids.size() > 1 && pids.back() == "1";
}

}  // namespace caisson::orchestrator
