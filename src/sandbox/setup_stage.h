// Every step of building a sandbox, by number, for the 8-byte record that tells where one failed.
// Freestanding: caisson-init writes these, caissond logs them, the dispatcher tells them to the client.
#ifndef CAISSON_SANDBOX_SETUP_STAGE_H_
#define CAISSON_SANDBOX_SETUP_STAGE_H_

#include <stdint.h>

// X(name, number, text). Numbers are stable; docs/sandbox-setup-order.md explains the order.
#define CAISSON_SETUP_STAGES(X)                                  \
  X(None, 0, "none")                                             \
  X(Cgroup, 1, "create the cgroups")                             \
  X(UserNamespace, 2, "prepare the user namespace")              \
  X(Clone, 3, "clone init")                                      \
  X(ExecInit, 4, "exec init")                                    \
  X(Template, 5, "build the root that its runs begin with")      \
  X(ReadPlan, 10, "read the plan")                               \
  X(ParentDeath, 11, "arm the parent-death signal")              \
  X(JoinCgroup, 12, "join init's cgroups")                       \
  X(CgroupNamespace, 13, "unshare the cgroup namespace")         \
  X(PrivateMounts, 14, "make all mounts private")                \
  X(MountRoot, 15, "mount the root")                             \
  X(BuildRoot, 16, "build the root")                             \
  X(MountWork, 17, "mount the work directory")                   \
  X(MountProc, 18, "mount /proc")                                \
  X(Pivot, 19, "pivot into the root")                            \
  X(SealRoot, 20, "make the root read-only")                     \
  X(HostName, 21, "set the host name")                           \
  X(SetGroups, 22, "clear the supplementary groups")             \
  X(EnterUserNamespace, 23, "enter the user namespace")          \
  X(InitIds, 24, "take init's ids")                              \
  X(Pipes, 25, "make the pipes")                                 \
  X(CloneStub, 26, "clone the stub")                             \
  X(InitLock, 27, "lock init")                                   \
  X(Terminal, 28, "make the terminal")                           \
  X(Loopback, 29, "bring up the loopback interface")             \
  X(Precedence, 30, "give up precedence")                        \
  X(EnterTemplate, 31, "enter a copy of the root")               \
  X(Bounding, 32, "empty the bounding set")                      \
  X(StubCgroup, 40, "join the payload's cgroups")                \
  X(StubSession, 41, "start a session")                          \
  X(StubWorkDir, 42, "enter the work directory")                 \
  X(StubIds, 43, "take the payload's ids")                       \
  X(StubSecurebits, 45, "lock the securebits")                   \
  X(StubCapabilities, 46, "drop the capabilities")               \
  X(StubNoNewPrivs, 47, "set no_new_privs")                      \
  X(StubLandlock, 48, "load the Landlock rules")                 \
  X(StubFilter, 49, "load the syscall filter")                   \
  X(StubReport, 50, "report the stub ready")                     \
  X(StubDescriptors, 60, "close the descriptors")                \
  X(StubBundle, 61, "read the bundle")                           \
  X(StubFiles, 62, "write the input files")                      \
  X(StubRlimits, 63, "set the resource limits")                  \
  /* index 1: the client's own file, 0: the profile's program */ \
  X(StubExec, 64, "exec the program")                            \
  X(InitProtocol, 70, "follow the control protocol")             \
  X(IsolationReport, 80, "read the isolation report")            \
  X(IsolationCheck, 81, "check the isolation in force")          \
  X(Limits, 82, "write the limits")                              \
  X(Deadline, 83, "finish within the set-up time")

namespace caisson::sandbox {

enum class SetupStage : uint16_t {
#define CAISSON_SETUP_STAGE_ENUMERATOR(name, number, text) k##name = (number),
  CAISSON_SETUP_STAGES(CAISSON_SETUP_STAGE_ENUMERATOR)
#undef CAISSON_SETUP_STAGE_ENUMERATOR
};

// "mount the root" for 15; "unknown step" for a number that is none.
inline const char* SetupStageText(uint32_t stage) {
  switch (static_cast<SetupStage>(stage)) {
#define CAISSON_SETUP_STAGE_TEXT(name, number, text) \
  case SetupStage::k##name:                          \
    return text;
    CAISSON_SETUP_STAGES(CAISSON_SETUP_STAGE_TEXT)
#undef CAISSON_SETUP_STAGE_TEXT
  }
  return "unknown step";
}

// The 8 bytes a failing step leaves behind.
struct SetupRecord {
  SetupStage stage;
  uint16_t index;  // which mount, descriptor or file of the step
  int32_t error_number;
};
static_assert(sizeof(SetupRecord) == 8);

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_SETUP_STAGE_H_
