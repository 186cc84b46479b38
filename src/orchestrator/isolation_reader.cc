#include "orchestrator/isolation_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "orchestrator/proc_text.h"
#include "sandbox/plan.h"

namespace caisson::orchestrator {
namespace {

constexpr uint32_t kSeccompModeFilter = 2;
constexpr uint32_t kAllNamespaces =
    ipc::kNsUser | ipc::kNsPid | ipc::kNsMount | ipc::kNsNetwork | ipc::kNsIpc | ipc::kNsUts | ipc::kNsCgroup;
constexpr uint32_t kAllMountBits = ipc::kMountRootReadOnly | ipc::kMountAllNosuid |
                                   ipc::kMountAllNodevButDev | ipc::kMountProcRestricted | ipc::kMountPrivate;

struct NamespaceFile {
  const char* name;
  ipc::NamespaceBit bit;
};

constexpr std::array<NamespaceFile, 7> kNamespaceFiles{{{"ns/user", ipc::kNsUser},
                                                        {"ns/pid", ipc::kNsPid},
                                                        {"ns/mnt", ipc::kNsMount},
                                                        {"ns/net", ipc::kNsNetwork},
                                                        {"ns/ipc", ipc::kNsIpc},
                                                        {"ns/uts", ipc::kNsUts},
                                                        {"ns/cgroup", ipc::kNsCgroup}}};

absl::StatusOr<std::string> ReadLinkAt(int directory, const char* name) {
  std::array<char, 64> target{};
  const ssize_t length = readlinkat(directory, name, target.data(), target.size());
  if (length < 0) {
    return ErrnoStatus(errno, std::string("readlink ") + name);
  }
  return std::string(target.data(), static_cast<size_t>(length));
}

absl::Status ReadNamespaces(int process, ipc::IsolationReport& report) {
  ASSIGN_OR_RETURN(const UniqueFd self, OpenFile("/proc/self", O_RDONLY | O_DIRECTORY));
  report.namespaces = 0;
  for (const NamespaceFile& file : kNamespaceFiles) {
    ASSIGN_OR_RETURN(const std::string theirs, ReadLinkAt(process, file.name));
    ASSIGN_OR_RETURN(const std::string ours, ReadLinkAt(self.get(), file.name));
    if (theirs != ours) {
      report.namespaces |= file.bit;
    }
  }
  return absl::OkStatus();
}

// What /proc/PID/net shows is the network namespace of that process.
absl::Status ReadNetwork(int process, ipc::IsolationReport& report) {
  ASSIGN_OR_RETURN(const std::string devices, ReadFileAt(process, "net/dev"));
  RETURN_IF_ERROR(ParseNetDev(devices, report));
  ASSIGN_OR_RETURN(const std::string routes, ReadFileAt(process, "net/fib_trie"));
  ParseFibTrie(routes, report);
  const absl::StatusOr<std::string> addresses = ReadFileAt(process, "net/if_inet6");
  if (absl::IsNotFound(addresses.status())) {
    return absl::OkStatus();  // A kernel without IPv6.
  }
  RETURN_IF_ERROR(addresses.status());
  ParseIfInet6(*addresses, report);
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> ReadInitUid(std::string_view stub_status) {
  ASSIGN_OR_RETURN(const pid_t parent, ParseParentPid(stub_status));
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/proc/" + std::to_string(parent) + "/status"));
  if (!IsNamespaceInit(text)) {
    return absl::FailedPreconditionError(
        "read isolation: the stub's parent is not the init of a pid namespace");
  }
  ipc::IsolationReport init{};
  RETURN_IF_ERROR(ParseProcStatus(text, init));
  return init.payload_host_uid;
}

absl::Status Differs(const char* field, uint64_t value, const std::string& must) {
  return absl::FailedPreconditionError("check isolation: " + std::string(field) + " is " +
                                       std::to_string(value) + ", must be " + must);
}

absl::Status Equal(const char* field, uint64_t value, uint64_t expected) {
  return value == expected ? absl::OkStatus() : Differs(field, value, std::to_string(expected));
}

absl::Status AtLeast(const char* field, uint64_t value, uint64_t least) {
  return value >= least ? absl::OkStatus() : Differs(field, value, std::to_string(least) + " or more");
}

absl::Status CheckIds(const ipc::IsolationReport& report, uint32_t expected_uid) {
  RETURN_IF_ERROR(AtLeast("payload_host_uid", report.payload_host_uid, 1));
  RETURN_IF_ERROR(AtLeast("payload_host_gid", report.payload_host_gid, 1));
  RETURN_IF_ERROR(Equal("payload_host_uid", report.payload_host_uid, expected_uid));
  RETURN_IF_ERROR(Equal("payload_host_gid", report.payload_host_gid, expected_uid));
  RETURN_IF_ERROR(AtLeast("init_host_uid", report.init_host_uid, 1));
  if (report.init_host_uid == report.payload_host_uid) {
    return Differs("init_host_uid", report.init_host_uid, "another than the payload's");
  }
  RETURN_IF_ERROR(Equal("supplementary_groups", report.supplementary_groups, 0));
  return Equal("uid_map_inside", report.uid_map_inside, sandbox::kPayloadUid);
}

}  // namespace

absl::StatusOr<ipc::IsolationReport> ReadIsolation(pid_t stub) {
  ASSIGN_OR_RETURN(const UniqueFd process, OpenFile("/proc/" + std::to_string(stub), O_RDONLY | O_DIRECTORY));
  ipc::IsolationReport report{};
  ASSIGN_OR_RETURN(const std::string status, ReadFileAt(process.get(), "status"));
  RETURN_IF_ERROR(ParseProcStatus(status, report));
  // ORDER: init first. If init were gone, the kernel would have killed the stub and the reads below would
  // fail, so a recycled parent pid cannot pass.
  ASSIGN_OR_RETURN(report.init_host_uid, ReadInitUid(status));

  ASSIGN_OR_RETURN(const std::string uid_map, ReadFileAt(process.get(), "uid_map"));
  RETURN_IF_ERROR(ParseUidMap(uid_map, report.payload_host_uid, report));
  ASSIGN_OR_RETURN(const std::string gid_map, ReadFileAt(process.get(), "gid_map"));
  ipc::IsolationReport groups{};
  RETURN_IF_ERROR(ParseUidMap(gid_map, report.payload_host_gid, groups));
  if (groups.uid_map_inside != report.uid_map_inside) {
    return absl::FailedPreconditionError("read isolation: uid_map and gid_map differ");
  }

  ASSIGN_OR_RETURN(const std::string mounts, ReadFileAt(process.get(), "mountinfo"));
  RETURN_IF_ERROR(ParseMountInfo(mounts, report));
  RETURN_IF_ERROR(ReadNetwork(process.get(), report));
  RETURN_IF_ERROR(ReadNamespaces(process.get(), report));
  return report;
}

absl::Status CheckIsolation(const ipc::IsolationReport& report, uint32_t expected_uid,
                            policy::NetworkMode network) {
  RETURN_IF_ERROR(CheckIds(report, expected_uid));
  RETURN_IF_ERROR(Equal("cap_inheritable", report.cap_inheritable, 0));
  RETURN_IF_ERROR(Equal("cap_permitted", report.cap_permitted, 0));
  RETURN_IF_ERROR(Equal("cap_effective", report.cap_effective, 0));
  RETURN_IF_ERROR(Equal("cap_bounding", report.cap_bounding, 0));
  RETURN_IF_ERROR(Equal("cap_ambient", report.cap_ambient, 0));
  RETURN_IF_ERROR(Equal("no_new_privs", report.no_new_privs, 1));
  RETURN_IF_ERROR(Equal("seccomp_mode", report.seccomp_mode, kSeccompModeFilter));
  RETURN_IF_ERROR(AtLeast("seccomp_filters", report.seccomp_filters, 1));
  RETURN_IF_ERROR(Equal("namespaces", report.namespaces, kAllNamespaces));
  RETURN_IF_ERROR(Equal("mounts", report.mounts, kAllMountBits));
  RETURN_IF_ERROR(AtLeast("mount_count", report.mount_count, 1));
  RETURN_IF_ERROR(Equal("landlock_enforced", report.landlock_enforced, 1));
  RETURN_IF_ERROR(Equal("network_interfaces", report.network_interfaces, 0));
  RETURN_IF_ERROR(Equal("network_addresses", report.network_addresses, 0));
  RETURN_IF_ERROR(
      Equal("loopback_up", report.loopback_up, network == policy::NetworkMode::kLoopback ? 1 : 0));
  return Equal("max_user_namespaces", report.max_user_namespaces, 0);
}

}  // namespace caisson::orchestrator
