// The isolation report as facts with their sources. docs/api.md lists the names.
#include <array>
#include <string>
#include <utility>

#include "dispatcher/convert.h"
#include "policy/image_file.h"

namespace caisson::dispatcher {
namespace {

constexpr std::array kNamespaces = {
    std::pair{ipc::kNsUser, "user"},       std::pair{ipc::kNsPid, "pid"}, std::pair{ipc::kNsMount, "mount"},
    std::pair{ipc::kNsNetwork, "network"}, std::pair{ipc::kNsIpc, "ipc"}, std::pair{ipc::kNsUts, "uts"},
    std::pair{ipc::kNsCgroup, "cgroup"},
};

constexpr std::array kMounts = {
    std::pair{ipc::kMountRootReadOnly, "root_read_only"},
    std::pair{ipc::kMountAllNosuid, "nosuid"},
    std::pair{ipc::kMountAllNodevButDev, "nodev"},
    std::pair{ipc::kMountProcRestricted, "proc_restricted"},
    std::pair{ipc::kMountPrivate, "private"},
};

template <typename Names>
std::string BitNames(uint32_t bits, const Names& names) {
  std::string text;
  for (const auto& [bit, name] : names) {
    if ((bits & bit) != 0) {
      text += (text.empty() ? "" : ",") + std::string(name);
    }
  }
  return text;
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string Hex(uint64_t value) {
  std::string text;
  for (uint32_t shift = 64; shift > 0; shift -= 4) {
    text += kHexDigits[(value >> (shift - 4)) & 0xfU];
  }
  return text;
}

template <size_t N>
std::string Hex(const std::array<uint8_t, N>& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4U];
    text += kHexDigits[byte & 0xfU];
  }
  return text;
}

class Facts {
 public:
  explicit Facts(v1::Isolation& isolation) : isolation_(isolation) {}

  void Add(v1::IsolationSource source, const char* name, std::string value) {
    v1::IsolationFact* fact = isolation_.add_facts();
    fact->set_name(name);
    fact->set_value(std::move(value));
    fact->set_source(source);
  }
  void Add(v1::IsolationSource source, const char* name, uint64_t value) {
    Add(source, name, std::to_string(value));
  }

 private:
  v1::Isolation& isolation_;
};

// As the operator wrote it in caissond's configuration.
std::string DegradationName(uint32_t bit) {
  return 1U << bit == ipc::kDegradationSwapUnbounded ? "swap_unbounded"
                                                     : "degradation_" + std::to_string(bit);
}

}  // namespace

v1::Isolation IsolationToProto(const ipc::IsolationReport& report) {
  constexpr v1::IsolationSource kKernel = v1::KERNEL_READ;
  v1::Isolation isolation;
  isolation.set_tier("namespaces");
  isolation.set_learning(report.learning != 0);
  isolation.set_root(report.root == ipc::RootKind::kImage ? "image" : "host");
  Facts facts(isolation);
  facts.Add(kKernel, "uid", report.payload_host_uid);
  facts.Add(kKernel, "gid", report.payload_host_gid);
  facts.Add(kKernel, "init_uid", report.init_host_uid);
  facts.Add(kKernel, "supplementary_groups", report.supplementary_groups);
  facts.Add(kKernel, "cap_inheritable", Hex(report.cap_inheritable));
  facts.Add(kKernel, "cap_permitted", Hex(report.cap_permitted));
  facts.Add(kKernel, "cap_effective", Hex(report.cap_effective));
  facts.Add(kKernel, "cap_bounding", Hex(report.cap_bounding));
  facts.Add(kKernel, "cap_ambient", Hex(report.cap_ambient));
  facts.Add(kKernel, "no_new_privs", report.no_new_privs);
  facts.Add(kKernel, "seccomp_mode", report.seccomp_mode);
  facts.Add(kKernel, "seccomp_filters", report.seccomp_filters);
  facts.Add(v1::LOADED, "filter_digest", Hex(report.filter_digest));
  facts.Add(kKernel, "namespaces", BitNames(report.namespaces, kNamespaces));
  facts.Add(kKernel, "mounts", BitNames(report.mounts, kMounts));
  facts.Add(kKernel, "mount_count", report.mount_count);
  facts.Add(kKernel, "uid_map_inside", report.uid_map_inside);
  facts.Add(v1::LOADED, "max_user_namespaces", report.max_user_namespaces);
  facts.Add(v1::LOADED, "landlock_abi", report.landlock_abi);
  facts.Add(v1::PROBE, "landlock_enforced", report.landlock_enforced);
  facts.Add(kKernel, "network_interfaces", report.network_interfaces);
  facts.Add(kKernel, "network_addresses", report.network_addresses);
  facts.Add(kKernel, "loopback_up", report.loopback_up);
  const bool of_image = report.root == ipc::RootKind::kImage;
  facts.Add(kKernel, "root", of_image ? "image" : "host");
  if (of_image) {
    facts.Add(v1::LOADED, "root_digest", policy::DigestText(report.root_digest));
  }
  facts.Add(kKernel, "cgroup_memory_bytes", report.cgroup_memory_bytes);
  facts.Add(kKernel, "cgroup_pids", report.cgroup_pids);
  facts.Add(kKernel, "cgroup_cpu_millis", report.cgroup_cpu_millis);
  for (uint32_t bit = 0; bit < 32; ++bit) {
    if ((report.accepted_degradations >> bit & 1U) != 0) {
      isolation.add_accepted_degradations(DegradationName(bit));
    }
  }
  return isolation;
}

}  // namespace caisson::dispatcher
