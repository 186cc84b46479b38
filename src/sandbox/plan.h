// The plan caisson-init follows. Written by caissond (src/sandbox/plan_builder), read by caisson-init.
// Freestanding: nothing but <stdint.h>. What the two say to each other later: control_messages.h.
//
// A plan is a stream of records in a sealed memfd, made once for each step of a profile and shared by all its
// runs. What differs from run to run (ids, sizes) comes in one SetupMessage over the control socket. init is
// started with a plan in two ways: once to build the template of its root (descriptors 3 and 4, kTemplate),
// and for each run.
#ifndef CAISSON_SANDBOX_PLAN_H_
#define CAISSON_SANDBOX_PLAN_H_

#include <stdint.h>

#include "sandbox/control_messages.h"

namespace caisson::sandbox {

// --- Descriptors init finds open at its exec
// -----------------------------------------------------------------------
inline constexpr int kFdControl = 3;      // SOCK_SEQPACKET to caissond
inline constexpr int kFdPlan = 4;         // the sealed plan
inline constexpr int kFdUserNs = 5;       // the prepared user namespace
inline constexpr int kFdTemplate = 6;     // the mount namespace with the plan's root
inline constexpr int kFdFirstCgroup = 7;  // cgroup.procs: init's leaves, then the payload's

// --- Ids inside the run's user namespace; inside-uid 0 is not mapped at all
// ------------------------------------------
inline constexpr uint32_t kInitUid = 1;
inline constexpr uint32_t kPayloadUid = 1000;

// --- Plan
// ----------------------------------------------------------------------------------------------------------
inline constexpr uint32_t kPlanMagic = 0x4e414c50;  // "PLAN"
inline constexpr uint32_t kPlanVersion = 1;

struct PlanHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t total_bytes;
  uint32_t reserved;
};

enum class PlanRecord : uint32_t {
  kEnd = 0,
  kStagingPath = 1,  // path: an empty directory in caissond's mount namespace, on which the new root is built
  kHostName = 2,     // path: the name for the UTS namespace
  kMkdir = 3,        // path (below the new root); mode
  kSymlink = 4,      // path, data = target
  kTextFile = 5,     // path, data = content; mode
  kBind = 6,         // path, data = source (host path); flags: MountFlag
  kTmpfs = 7,        // path; flags; data = mount options as text
  kWork = 8,         // path = hidden mount point of the writable tmpfs; sizes come with the SetupMessage
  kWorkDir = 9,      // path; data = name of the work tmpfs's subdirectory that is bound there; mode; flags
  kProc = 10,        // path
  kDevice = 11,      // path; mode; data = struct PlanDevice
  kUnmount = 12,     // path: lazily, for the work tmpfs's hidden mount point
  kSeal = 13,        // path: remount read-only with flags, after the pivot
  kTerminals = 14,   // path: a devpts of the run's own, for one terminal; flags
  kLoopback = 15,    // bring up the interface lo of the run's own network namespace
  kOfTheRun =
      16,  // of the records for mounts, those before it make the template, those after it each run's own
  kArgument = 20,     // path = one word of the command; "{main}", "{main_class}" and "{sources}" are replaced
  kEnvironment = 21,  // path = "NAME=value"
  kFilter = 22,       // data = struct sock_filter[]: the payload's
  kDenyTable = 23,    // data = uint8_t[1024]: what init answers for a notified call (DenyAnswer)
  kLandlock = 24,     // data = struct PlanLandlock
  kLandlockRule = 25,  // path; data = uint64_t allowed_access
  kRlimit = 26,        // data = struct PlanRlimit
  kLimits = 27,        // data = struct PlanInitLimits
  kLimitHint = 28,     // path, data = text before and after the number; flags: LimitHintFlag; mode: percent
  kObserved = 29,      // of a learning run: data = struct PlanObservedCall[]: what init counts and lets go on
};

// Starts at a multiple of 8; then path_bytes (with its NUL), padding to 8, data_bytes, padding to 8.
struct PlanRecordHeader {
  PlanRecord type;
  uint32_t flags;
  uint32_t mode;
  uint32_t path_bytes;  // with the NUL; 0 = none
  uint32_t data_bytes;
  uint32_t reserved;
};
static_assert(sizeof(PlanRecordHeader) == 24);

enum MountFlag : uint32_t {
  kMountReadOnly = 1U << 0U,
  kMountNoExec = 1U << 1U,
  kMountAllowDev = 1U << 2U,  // everything else is nodev; nosuid is always set
};

// What a hint tells: CPUs, or else MiB of memory; as a variable, or else an argument.
enum LimitHintFlag : uint32_t {
  kHintCpus = 1U << 0U,
  kHintVariable = 1U << 1U,
};
inline constexpr uint32_t kMaxLimitHints = 8;
inline constexpr uint32_t kMaxLimitHintBytes = 512;  // with the number, the variable's name and the NUL

struct PlanDevice {
  uint32_t major;
  uint32_t minor;
};

struct PlanLandlock {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
  uint32_t attr_bytes;  // sizeof(landlock_ruleset_attr) that this host's kernel takes
  uint32_t abi;
};

struct PlanRlimit {
  uint32_t resource;
  uint32_t reserved;
  uint64_t soft;
  uint64_t hard;
};

struct PlanInitLimits {
  uint32_t denials_per_second;  // above it init kills
  uint32_t notify_flags;        // SECCOMP_FILTER_FLAG_* beside NEW_LISTENER
  uint64_t counted_fcntl;       // a bit for each command of fcntl that init counts and lets go on
};

struct PlanObservedCall {
  uint32_t number;
  uint32_t masks[6];  // the bits of each argument that rules look at
};
static_assert(sizeof(PlanObservedCall) == 28);

inline constexpr uint32_t kDenyTableEntries = 1024;
inline constexpr uint8_t kDenyAnswerKill = 255;  // other values are the errno; 0 is read as EPERM

// The file that modes and mounts let everybody read and Landlock must refuse, and the control that it must
// not.
inline constexpr char kLandlockProbePath[] = "/.caisson-landlock-probe";
inline constexpr char kLandlockControlPath[] = "/etc/passwd";

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_PLAN_H_
