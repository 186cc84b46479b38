#include "orchestrator/isolation_reader.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <vector>

#include "common/files.h"
#include "common/status.h"
#include "common/unique_fd.h"
#include "orchestrator/proc_text.h"
#include "sandbox/plan.h"

namespace caisson::orchestrator {
namespace {

constexpr uint32_t kSeccompModeFilter = 2;
constexpr uint64_t kInitCapabilities = 1ULL << CAP_KILL | 1ULL << CAP_DAC_READ_SEARCH;

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

// A mount namespace that is the template's is as little the run's own as caissond's would be.
absl::Status ReadNamespaces(int process, ino_t root_template, ipc::IsolationReport& report) {
  const std::string shared = "mnt:[" + std::to_string(root_template) + "]";
  ASSIGN_OR_RETURN(const UniqueFd self, OpenFile("/proc/self", O_RDONLY | O_DIRECTORY));
  report.namespaces = 0;
  for (const NamespaceFile& file : kNamespaceFiles) {
    ASSIGN_OR_RETURN(const std::string theirs, ReadLinkAt(process, file.name));
    ASSIGN_OR_RETURN(const std::string ours, ReadLinkAt(self.get(), file.name));
    if (theirs != ours && theirs != shared) {
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

absl::StatusOr<ipc::IsolationReport> ReadInit(std::string_view stub_status) {
  ASSIGN_OR_RETURN(const pid_t parent, ParseParentPid(stub_status));
  ASSIGN_OR_RETURN(const std::string text, ReadFile("/proc/" + std::to_string(parent) + "/status"));
  if (!IsNamespaceInit(text)) {
    return absl::FailedPreconditionError(
        "read isolation: the stub's parent is not the init of a pid namespace");
  }
  ipc::IsolationReport init{};
  RETURN_IF_ERROR(ParseProcStatus(text, init));
  return init;
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

struct BitName {
  const char* name;
  uint32_t bit;
};

// Names what is missing: a number would say nothing to whoever has to mend it.
absl::Status CheckBits(const char* field, uint32_t value, std::span<const BitName> bits) {
  std::string missing;
  uint32_t all = 0;
  for (const BitName& name : bits) {
    all |= name.bit;
    if ((value & name.bit) == 0) {
      missing += (missing.empty() ? "" : ", ") + std::string(name.name);
    }
  }
  if (missing.empty() && value == all) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError("check isolation: " + std::string(field) + " lacks " +
                                       (missing.empty() ? "nothing, and has more than is known" : missing));
}

constexpr std::array<BitName, 7> kNamespaces{{{"user", ipc::kNsUser},
                                              {"pid", ipc::kNsPid},
                                              {"mount", ipc::kNsMount},
                                              {"network", ipc::kNsNetwork},
                                              {"ipc", ipc::kNsIpc},
                                              {"uts", ipc::kNsUts},
                                              {"cgroup", ipc::kNsCgroup}}};
constexpr std::array<BitName, 5> kMounts{{{"root_read_only", ipc::kMountRootReadOnly},
                                          {"nosuid", ipc::kMountAllNosuid},
                                          {"nodev", ipc::kMountAllNodevButDev},
                                          {"proc_restricted", ipc::kMountProcRestricted},
                                          {"private", ipc::kMountPrivate}}};

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

absl::StatusOr<ipc::IsolationReport> ReadIsolation(pid_t stub, const PlansOwn& plans_own,
                                                   ipc::IsolationReport* init) {
  ASSIGN_OR_RETURN(const UniqueFd process, OpenFile("/proc/" + std::to_string(stub), O_RDONLY | O_DIRECTORY));
  ipc::IsolationReport report{};
  ASSIGN_OR_RETURN(const std::string status, ReadFileAt(process.get(), "status"));
  RETURN_IF_ERROR(ParseProcStatus(status, report));
  // ORDER: init first. If init were gone, the kernel would have killed the stub and the reads below would
  // fail, so a recycled parent pid cannot pass.
  ASSIGN_OR_RETURN(const ipc::IsolationReport parent, ReadInit(status));
  report.init_host_uid = parent.payload_host_uid;
  if (init != nullptr) {
    *init = parent;
  }

  ASSIGN_OR_RETURN(const std::string uid_map, ReadFileAt(process.get(), "uid_map"));
  RETURN_IF_ERROR(ParseUidMap(uid_map, report.payload_host_uid, report));
  ASSIGN_OR_RETURN(const std::string gid_map, ReadFileAt(process.get(), "gid_map"));
  ipc::IsolationReport groups{};
  RETURN_IF_ERROR(ParseUidMap(gid_map, report.payload_host_gid, groups));
  if (groups.uid_map_inside != report.uid_map_inside) {
    return absl::FailedPreconditionError("read isolation: uid_map and gid_map differ");
  }

  ASSIGN_OR_RETURN(const std::string mounts, ReadFileAt(process.get(), "mountinfo"));
  RETURN_IF_ERROR(ParseMountInfo(mounts, plans_own.image, report));
  RETURN_IF_ERROR(ReadNetwork(process.get(), report));
  RETURN_IF_ERROR(ReadNamespaces(process.get(), plans_own.root_template, report));
  return report;
}

absl::Status CheckIsolation(const ipc::IsolationReport& report, const ExpectedIsolation& expected) {
  RETURN_IF_ERROR(CheckIds(report, expected.payload_host_uid));
  RETURN_IF_ERROR(Equal("no_new_privs", report.no_new_privs, 1));
  RETURN_IF_ERROR(Equal("cap_inheritable", report.cap_inheritable, 0));
  RETURN_IF_ERROR(Equal("cap_permitted", report.cap_permitted, 0));
  RETURN_IF_ERROR(Equal("cap_effective", report.cap_effective, 0));
  RETURN_IF_ERROR(Equal("cap_bounding", report.cap_bounding, 0));
  RETURN_IF_ERROR(Equal("cap_ambient", report.cap_ambient, 0));
  RETURN_IF_ERROR(Equal("seccomp_mode", report.seccomp_mode, kSeccompModeFilter));
  RETURN_IF_ERROR(AtLeast("seccomp_filters", report.seccomp_filters, 1));
  RETURN_IF_ERROR(CheckBits("namespaces", report.namespaces, kNamespaces));
  RETURN_IF_ERROR(CheckBits("mounts", report.mounts, kMounts));
  RETURN_IF_ERROR(AtLeast("mount_count", report.mount_count, 1));
  RETURN_IF_ERROR(Equal("landlock_enforced", report.landlock_enforced, 1));
  RETURN_IF_ERROR(Equal("network_interfaces", report.network_interfaces, 0));
  RETURN_IF_ERROR(Equal("network_addresses", report.network_addresses, 0));
  RETURN_IF_ERROR(
      Equal("loopback_up", report.loopback_up, expected.network == policy::NetworkMode::kLoopback ? 1 : 0));
  RETURN_IF_ERROR(Equal("root", static_cast<uint32_t>(report.root), static_cast<uint32_t>(expected.root)));
  return Equal("max_user_namespaces", report.max_user_namespaces, 0);
}

absl::Status CheckInit(const ipc::IsolationReport& init) {
  RETURN_IF_ERROR(AtLeast("init's uid", init.payload_host_uid, 1));
  RETURN_IF_ERROR(AtLeast("init's gid", init.payload_host_gid, 1));
  RETURN_IF_ERROR(Equal("init's supplementary_groups", init.supplementary_groups, 0));
  RETURN_IF_ERROR(Equal("init's cap_inheritable", init.cap_inheritable, 0));
  RETURN_IF_ERROR(Equal("init's cap_permitted", init.cap_permitted, kInitCapabilities));
  RETURN_IF_ERROR(Equal("init's cap_effective", init.cap_effective, kInitCapabilities));
  RETURN_IF_ERROR(Equal("init's cap_bounding", init.cap_bounding, 0));
  RETURN_IF_ERROR(Equal("init's cap_ambient", init.cap_ambient, 0));
  RETURN_IF_ERROR(Equal("init's no_new_privs", init.no_new_privs, 1));
  RETURN_IF_ERROR(Equal("init's seccomp_mode", init.seccomp_mode, kSeccompModeFilter));
  return AtLeast("init's seccomp_filters", init.seccomp_filters, 1);
}

}  // namespace caisson::orchestrator
