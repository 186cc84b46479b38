// What is in force in one sandbox, field by field, as it crosses the boundary from caissond to the
// dispatcher.
#ifndef CAISSON_IPC_ISOLATION_REPORT_H_
#define CAISSON_IPC_ISOLATION_REPORT_H_

#include <array>
#include <cstdint>

namespace caisson::ipc {

// Bits of IsolationReport::namespaces: the payload's namespace is not caissond's, as /proc/PID/ns says.
enum NamespaceBit : uint32_t {
  kNsUser = 1U << 0U,
  kNsPid = 1U << 1U,
  kNsMount = 1U << 2U,
  kNsNetwork = 1U << 3U,
  kNsIpc = 1U << 4U,
  kNsUts = 1U << 5U,
  kNsCgroup = 1U << 6U,
};

// Bits of IsolationReport::mounts, from /proc/PID/mountinfo of the waiting stub.
enum MountBit : uint32_t {
  kMountRootReadOnly = 1U << 0U,  // the root and everything but the work tmpfs and devpts is read-only
  kMountAllNosuid = 1U << 1U,
  kMountAllNodevButDev = 1U << 2U,  // every mount but the minimal /dev is nodev
  kMountProcRestricted = 1U << 3U,  // /proc has subset=pid and hidepid=invisible (2)
  kMountPrivate = 1U << 4U,         // no mount has a peer group or a master
};

// Bits of IsolationReport::accepted_degradations; the names are those of caissond's configuration.
enum DegradationBit : uint32_t {
  kDegradationSwapUnbounded = 1U << 0U,
};

// Whose files the root is made of. IsolationReport::root, from /proc/PID/mountinfo of the waiting stub.
enum class RootKind : uint32_t {
  kHost = 1,
  kImage = 2,  // every mount that the profile names is of the image's file system
};

// What is in force, read from the locked stub before it is let go. Sources: K kernel, P probe, L loaded.
struct IsolationReport {
  uint32_t payload_host_uid;      // K
  uint32_t payload_host_gid;      // K
  uint32_t init_host_uid;         // K
  uint32_t supplementary_groups;  // K, their number
  uint64_t cap_inheritable;       // K, as are the next four
  uint64_t cap_permitted;
  uint64_t cap_effective;
  uint64_t cap_bounding;
  uint64_t cap_ambient;
  uint32_t no_new_privs;           // K
  uint32_t seccomp_mode;           // K, 2 = filter
  uint32_t seccomp_filters;        // K
  uint32_t namespaces;             // K, NamespaceBit
  uint32_t mounts;                 // K, MountBit
  uint32_t mount_count;            // K
  uint32_t uid_map_inside;         // K, of the payload's line of uid_map
  uint32_t max_user_namespaces;    // L, the value init's user namespace was given (0)
  uint32_t landlock_abi;           // L
  uint32_t landlock_enforced;      // P, 1 = the refused file was refused and the control was readable
  uint32_t network_interfaces;     // K, their number in the payload's network namespace besides lo
  uint32_t network_addresses;      // K, IPv4 and IPv6, besides those of 127.0.0.0/8 and ::1
  uint32_t loopback_up;            // K, 1 = lo has an address, which it has as soon as it is up
  uint32_t accepted_degradations;  // DegradationBit, of those the operator accepted that are in force here
  uint32_t learning;             // L, 1 = what the filter allows is counted and let go on, up to its ceiling
  RootKind root;                 // K
  uint64_t cgroup_memory_bytes;  // K, limits read back
  uint64_t cgroup_pids;
  uint64_t cgroup_cpu_millis;
  std::array<uint8_t, 32> filter_digest;  // L, SHA-256 of the BPF program given to seccomp(2)
  std::array<uint8_t, 32> root_digest;    // L, SHA-256 of the image that was verified and mounted, or zeros
};

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_ISOLATION_REPORT_H_
