// What caissond and caisson-init say to each other over the control socket: one fixed struct a packet.
// caissond checks what init sends (src/orchestrator/init_records), init trusts caissond. Freestanding:
// nothing but <stdint.h>.
#ifndef CAISSON_SANDBOX_CONTROL_MESSAGES_H_
#define CAISSON_SANDBOX_CONTROL_MESSAGES_H_

#include <stdint.h>

#include "sandbox/setup_stage.h"

namespace caisson::sandbox {

inline constexpr uint32_t kControlMagic = 0x4c544e43;  // "CNTL"

enum class ControlType : uint32_t {
  kSetup = 1,   // caissond → init, before its exec
  kReady = 2,   // init → caissond; descriptors: stdin write end, stdout, stderr, events, outputs read ends
  kGo = 3,      // caissond → init; descriptor: the bundle
  kDone = 4,    // init → caissond: all but init are dead; the output files follow, then init's end
  kFailed = 5,  // init → caissond: set-up failed, nothing ran
  kSignal = 6,  // caissond → init, once it runs
  // Of an init that serves no run, and builds what all runs of its plan begin with:
  kTemplate = 7,        // the builder → init, before its exec, instead of kSetup
  kTemplateStands = 8,  // init → the builder, whose hanging up ends it
  // Record locks of the run: init asks when its count is used up, and gets exactly one answer.
  kLockQuestion = 16,  // init → caissond: how many are held?
  kLocksHeld = 17,     // caissond → init
};

struct SetupMessage {
  uint32_t magic;
  ControlType type;
  uint32_t payload_host_uid;
  uint32_t payload_host_gid;
  uint32_t init_cgroup_fds;     // from kFdFirstCgroup on
  uint32_t payload_cgroup_fds;  // after those
  uint64_t disk_bytes;
  uint64_t inode_count;
  uint32_t tty;  // 1: a terminal instead of three pipes; the plan then has kTerminals
  uint32_t reserved;
};

struct TemplateStandsMessage {
  uint32_t magic;
  ControlType type;
};

struct ReadyMessage {
  uint32_t magic;
  ControlType type;
  int32_t landlock_probe_errno;    // of opening kLandlockProbePath: EACCES when Landlock holds; 0 = it opened
  int32_t landlock_control_errno;  // of opening kLandlockControlPath: 0
};

// What this run's client may choose; init hands the limits to the stub.
struct GoMessage {
  uint32_t magic;
  ControlType type;
  uint64_t open_files;
  uint64_t file_size_bytes;
  uint64_t stack_bytes;
  uint64_t memory_bytes;  // this and the next: for runtimes that have to be told
  uint64_t cpu_millis;
  uint64_t collects;  // 1: output files are to be collected
};

struct SignalMessage {
  uint32_t magic;
  ControlType type;
  int32_t signal_number;
  uint32_t reserved;
};

struct LockQuestionMessage {
  uint32_t magic;
  ControlType type;
};

struct LocksHeldMessage {
  uint32_t magic;
  ControlType type;
  uint64_t held;  // at most this many; UINT64_MAX: it could not be found out
};

struct DoneMessage {
  uint32_t magic;
  ControlType type;
  int32_t wait_code;          // CLD_EXITED, CLD_KILLED or CLD_DUMPED of the main process
  int32_t wait_status;        // exit code or signal
  int32_t violation_syscall;  // the call for which init killed, or -1
  uint32_t denial_rate_hit;   // 1: killed for the rate of denials
  uint64_t denials;
  int64_t exec_ns;  // CLOCK_MONOTONIC; 0 = it never came to exec
  int64_t exit_ns;
  uint64_t voluntary_switches;
  uint64_t involuntary_switches;
  uint64_t denials_in_last_second;
};

struct FailedMessage {
  uint32_t magic;
  ControlType type;
  SetupRecord record;
};

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_CONTROL_MESSAGES_H_
