// The layers that a mutation build can leave out, one each, to prove that its attack gets through without it
// and not with it. In every build but those under build/mutation/ all are true, and the compiler removes the
// question itself. Freestanding: caisson-init includes this file. Code outside the sandbox asks
// layers_outside.h.
#ifndef CAISSON_SANDBOX_LAYERS_H_
#define CAISSON_SANDBOX_LAYERS_H_

namespace caisson::layers {

#ifdef CAISSON_WITHOUT_SYSCALL_FILTER
inline constexpr bool kSyscallFilter = false;
#else
inline constexpr bool kSyscallFilter = true;
#endif

#ifdef CAISSON_WITHOUT_LANDLOCK
inline constexpr bool kLandlock = false;
#else
inline constexpr bool kLandlock = true;
#endif

#ifdef CAISSON_WITHOUT_CAPABILITY_DROP
inline constexpr bool kCapabilityDrop = false;
#else
inline constexpr bool kCapabilityDrop = true;
#endif

#ifdef CAISSON_WITHOUT_USER_NAMESPACE_BAN
inline constexpr bool kUserNamespaceBan = false;
#else
inline constexpr bool kUserNamespaceBan = true;
#endif

#ifdef CAISSON_WITHOUT_NETWORK_NAMESPACE
inline constexpr bool kNetworkNamespace = false;
#else
inline constexpr bool kNetworkNamespace = true;
#endif

#ifdef CAISSON_WITHOUT_IPC_NAMESPACE
inline constexpr bool kIpcNamespace = false;
#else
inline constexpr bool kIpcNamespace = true;
#endif

#ifdef CAISSON_WITHOUT_UTS_NAMESPACE
inline constexpr bool kUtsNamespace = false;
#else
inline constexpr bool kUtsNamespace = true;
#endif

#ifdef CAISSON_WITHOUT_CGROUP_NAMESPACE
inline constexpr bool kCgroupNamespace = false;
#else
inline constexpr bool kCgroupNamespace = true;
#endif

#ifdef CAISSON_WITHOUT_READ_ONLY_ROOT
inline constexpr bool kReadOnlyRoot = false;
#else
inline constexpr bool kReadOnlyRoot = true;
#endif

#ifdef CAISSON_WITHOUT_RESTRICTED_PROC
inline constexpr bool kRestrictedProc = false;
#else
inline constexpr bool kRestrictedProc = true;
#endif

#ifdef CAISSON_WITHOUT_PIDS_LIMIT
inline constexpr bool kPidsLimit = false;
#else
inline constexpr bool kPidsLimit = true;
#endif

#ifdef CAISSON_WITHOUT_MEMORY_LIMIT
inline constexpr bool kMemoryLimit = false;
#else
inline constexpr bool kMemoryLimit = true;
#endif

#ifdef CAISSON_WITHOUT_NO_NEW_PRIVS
inline constexpr bool kNoNewPrivs = false;
#else
inline constexpr bool kNoNewPrivs = true;
#endif

#ifdef CAISSON_WITHOUT_OWN_DESCRIPTORS
inline constexpr bool kOwnDescriptors = false;
#else
inline constexpr bool kOwnDescriptors = true;
#endif

#ifdef CAISSON_WITHOUT_USER_NAMESPACE
inline constexpr bool kUserNamespace = false;
#else
inline constexpr bool kUserNamespace = true;
#endif

#ifdef CAISSON_WITHOUT_PID_NAMESPACE
inline constexpr bool kPidNamespace = false;
#else
inline constexpr bool kPidNamespace = true;
#endif

#ifdef CAISSON_WITHOUT_PIVOTED_ROOT
inline constexpr bool kPivotedRoot = false;
#else
inline constexpr bool kPivotedRoot = true;
#endif

// The gate that refuses a sandbox whose isolation report is not complete. It is shut in every released
// program; a mutation build must open it, or its attack would never start.
inline constexpr bool kComplete =
    kSyscallFilter && kLandlock && kCapabilityDrop && kUserNamespaceBan && kNetworkNamespace &&
    kIpcNamespace && kUtsNamespace && kCgroupNamespace && kReadOnlyRoot && kRestrictedProc && kPidsLimit &&
    kMemoryLimit && kNoNewPrivs && kOwnDescriptors && kUserNamespace && kPidNamespace && kPivotedRoot;

}  // namespace caisson::layers

#endif  // CAISSON_SANDBOX_LAYERS_H_
