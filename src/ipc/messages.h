// The privileged boundary: messages between caisson-dispatcher (unprivileged, possibly under an attacker's
// control) and caissond (root). Fixed structs over AF_UNIX SOCK_SEQPACKET, one message a packet, descriptors
// by SCM_RIGHTS. Everything from the dispatcher is untrusted: src/ipc/codec checks the shape, caissond the
// meaning. docs/ipc-protocol.md tells the story; src/ipc/state_table.h says what is permitted when.
#ifndef CAISSON_IPC_MESSAGES_H_
#define CAISSON_IPC_MESSAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ipc/isolation_report.h"

namespace caisson::ipc {

inline constexpr uint32_t kMagic = 0x50495343;  // "CSIP"
inline constexpr uint16_t kVersion = 9;
inline constexpr size_t kNameBytes = 64;  // profile names, NUL-terminated and NUL-padded

enum class MessageType : uint16_t {
  // dispatcher → caissond
  kPrepare = 1,
  kStart = 2,  // 1 descriptor: the sealed bundle
  kCancel = 3,
  kServing = 4,  // once: the public socket listens
  kSignal = 5,
  kReload = 6,  // an admin asks
  // caissond → dispatcher
  kHello = 64,
  kPrepared = 65,  // kPreparedFds descriptors, in the order of PreparedFd
  kPrepareFailed = 66,
  kStarted = 67,
  kStartRefused = 68,
  kFinished = 69,
  kDrain = 70,
  kListener = 71,  // 1 descriptor: the socket that listens
  kPolicy = 72,    // 1 descriptor: a sealed memfd, the texts of all policies and of the tokens
  kReloaded = 73,
};

// A sandbox of one dispatcher session; chosen by the dispatcher, unique among its live ones, never 0.
using SandboxId = uint64_t;

enum class Step : uint32_t { kCompile = 1, kRun = 2 };

struct Header {
  uint32_t magic;
  uint16_t version;
  MessageType type;
  uint32_t length;    // of the whole message, header included
  uint32_t reserved;  // 0
};

// Limits of one sandbox. All in the message, none 0: the dispatcher resolves defaults, caissond checks the
// ceilings.
struct StartLimits {
  uint64_t wall_time_ms;
  uint64_t cpu_time_ms;
  uint64_t memory_bytes;
  uint64_t pids;
  uint64_t open_files;
  uint64_t file_size_bytes;
  uint64_t stack_bytes;
  uint64_t cpu_millis;
};

struct Prepare {
  Header header;
  SandboxId sandbox;
  std::array<char, kNameBytes> profile;
  Step step;
  uint32_t tty;  // 1: a terminal instead of three pipes
  uint64_t disk_bytes;
  uint64_t inode_count;
  uint32_t leaves_last;  // 1: of sandboxes built ahead it takes any but the last, which is for somebody else
  uint32_t reserved;     // 0
};

struct Start {
  Header header;
  SandboxId sandbox;
  std::array<uint8_t, 16> run_id;  // for the log only
  StartLimits limits;
  uint64_t collect_ms;  // how long init may take to send the output files; 0: none are asked for
};

inline constexpr uint64_t kMaxCollectMs = 60'000;

enum class CancelReason : uint32_t {
  kClient = 1,        // CancelRun
  kDisconnected = 2,  // the client went away
  kDeadline = 3,      // the RPC's deadline passed
  kOutputLimit = 4,   // a stream passed output_bytes under `kill`; detail: 1 stdout, 2 stderr
  kShutdown = 5,      // the service stops
};

struct Cancel {
  Header header;
  SandboxId sandbox;
  CancelReason reason;
  uint32_t detail;
  uint64_t limit;  // kOutputLimit: the limit and what was observed
  uint64_t observed;
};

// For the main process of a running sandbox. Only the signals of IsForwardableSignal.
struct Signal {
  Header header;
  SandboxId sandbox;
  int32_t signal_number;
  uint32_t reserved;  // 0
};

// What a client may send: signals that people send to programs by hand. SIGKILL is CANCEL's business.
bool IsForwardableSignal(int32_t signal_number);

// The dispatcher is locked down and listens; caissond then says "ready" to whoever started it.
struct Serving {
  Header header;
};

// Read tenants' policies and tokens again, as SIGHUP has it. Says nothing of what to read. Permitted where
// the configuration has a listener of admins, after SERVING, and no sooner than the last RELOADED says.
struct Reload {
  Header header;
};

struct Hello {
  Header header;
  uint32_t max_sandboxes;  // alive at once; PREPARE beyond it is refused
  uint32_t landlock_abi;
  uint64_t memory_budget_bytes;  // sum of the limits of started sandboxes; START beyond it is refused
  uint32_t queue_length;
  uint32_t cgroup_backend;  // CgroupBackend
  uint64_t grace_ms;
  uint32_t learning;           // 1: some profile learns, so nobody but root may connect
  uint32_t listeners;          // so many LISTENERs follow at once, and then a POLICY
  uint64_t cpu_millis;         // of the host; a CPU is 1000
  uint64_t cpu_budget_millis;  // of all runs at work together; 0: none
};

inline constexpr uint32_t kMaxListeners = 64;
inline constexpr size_t kMaxPeers = 64;

// What somebody who comes through a listener may do.
enum class ClientRole : uint32_t {
  kRun = 1,       // everything, with its own tenant's runs
  kObserve = 2,   // look at its own tenant's runs
  kOperator = 3,  // look at everybody's runs and end them; start none
  kByToken = 4,   // nothing until a call shows a token, whose role and tenant it then has
  kAdmin = 5,     // the admin service, and nothing of anybody's runs
};

// A socket that caissond made, with its owner and mode, for one tenant and role. Right after HELLO.
struct Listener {
  Header header;
  std::array<char, kNameBytes> tenant;  // empty for operators and admins, and where tokens say it
  std::array<char, 128> address;        // for the log
  ClientRole role;
  uint32_t peer_count;                    // 0: whoever the socket's file lets in; never of admins
  std::array<uint32_t, kMaxPeers> peers;  // the users who may connect; 0 beyond peer_count
};

enum class CgroupBackend : uint32_t { kUnified = 1, kHybrid = 2 };

// With a terminal, kStdin and kStdout are the same master, and kStderr is a pipe that is at its end already.
enum class PreparedFd : uint32_t { kStdin = 0, kStdout = 1, kStderr = 2, kEvents = 3, kOutputs = 4 };
inline constexpr size_t kPreparedFds = 5;

struct Prepared {
  Header header;
  SandboxId sandbox;
  uint64_t setup_ns;   // PREPARE received to isolation report read
  uint32_t from_pool;  // 1: it had been built ahead
  uint32_t reserved;   // 0
  IsolationReport isolation;
};

// Why a sandbox could not be had.
enum class Refusal : uint32_t {
  kUnknownProfile = 1,
  kUnknownStep = 2,
  kLimitOutOfRange = 3,  // limit says which
  kCapacity = 4,         // max_sandboxes or memory_budget_bytes
  kBadBundle = 5,
  kDraining = 6,
  kSetupFailed = 7,  // stage, index, error_number say where
};

enum class LimitName : uint32_t {
  kNone = 0,
  kWallTime = 1,
  kCpuTime = 2,
  kMemory = 3,
  kPids = 4,
  kOutput = 5,
  kDisk = 6,
  kInodes = 7,
  kOpenFiles = 8,
  kFileSize = 9,
  kStack = 10,
  kCpuMillis = 11,
  kDenialRate = 12,
  kSockets = 13,
};

// Where a set-up failed. `stage` is a sandbox::SetupStage number with a name in src/sandbox/setup_stage.h.
struct SetupError {
  uint32_t stage;
  uint32_t index;
  int32_t error_number;
  uint32_t reserved;
};

struct PrepareFailed {
  Header header;
  SandboxId sandbox;
  Refusal refusal;
  LimitName limit;
  SetupError error;
  std::array<char, 128> message;  // of caissond's own making, NUL-terminated; never client data
};

struct Started {
  Header header;
  SandboxId sandbox;
  IsolationReport isolation;  // as in Prepared, with the limits of this run read back
};

struct StartRefused {
  Header header;
  SandboxId sandbox;
  Refusal refusal;
  LimitName limit;
  SetupError error;
  std::array<char, 128> message;
};

enum class Verdict : uint32_t {
  kCompleted = 1,
  kSignaled = 2,
  kWallTimeLimit = 3,
  kCpuTimeLimit = 4,
  kMemoryLimit = 5,
  kOutputLimit = 6,
  kSyscallViolation = 7,
  kCanceled = 8,
  kCompileFailed = 9,
  kSandboxSetupFailed = 10,
  kServiceFailed = 11,
};

// Who decided the end.
enum class Actor : uint32_t {
  kProgram = 1,     // it ended by itself
  kKernel = 2,      // OOM killer, a signal
  kSupervisor = 3,  // a limit of ours, a violation
  kClient = 4,
  kOperator = 5,  // shutdown
  kService = 6,   // a failure of ours
};

// Bits of Usage::present; what the kernel does not give is absent, never 0.
enum UsageBit : uint32_t {
  kUsageWallTime = 1U << 0U,
  kUsageCpu = 1U << 1U,
  kUsageMemoryPeak = 1U << 2U,
  kUsageOomKills = 1U << 3U,
  kUsagePidsPeak = 1U << 4U,
  kUsageForksDenied = 1U << 5U,
  kUsageContextSwitches = 1U << 6U,
  kUsageMemoryParts = 1U << 7U,
};

struct Usage {
  uint32_t present;
  uint32_t reserved;
  uint64_t wall_time_ns;  // exec to the end of the main process
  uint64_t cpu_user_us;
  uint64_t cpu_system_us;
  uint64_t memory_peak_bytes;
  uint64_t oom_kills;
  uint64_t pids_peak;
  uint64_t forks_denied;
  uint64_t voluntary_switches;
  uint64_t involuntary_switches;
  // The sample of greatest use: the kernel keeps no peak of either.
  uint64_t memory_anonymous_bytes;
  uint64_t memory_file_bytes;
};

struct Finished {
  Header header;
  SandboxId sandbox;
  Verdict verdict;
  Actor ended_by;
  LimitName limit;
  uint32_t exited;  // 1: exit_code holds; 0: see term_signal
  int32_t exit_code;
  int32_t term_signal;        // 0 = none
  int32_t violation_syscall;  // kSyscallViolation: the call's number, else -1
  uint32_t reserved;
  uint64_t limit_value;  // in the limit's own unit
  uint64_t limit_observed;
  SetupError error;
  Usage usage;
  uint64_t start_ns;     // START received to exec
  uint64_t run_ns;       // exec to the end of the main process
  uint64_t teardown_ns;  // end of the main process to init reaped
};

struct Drain {
  Header header;
  uint64_t grace_ms;  // stop admitting; what still runs after this is canceled
};

// What tenants may have, and whose tokens hold: after the LISTENERs, and again after every reload, all at
// once.
struct Policy {
  Header header;
  uint64_t bytes;   // of the memfd
  uint32_t files;   // 0: no policies are configured
  uint32_t tokens;  // 1: one more text, the last one, is the file of tokens
};

enum class ReloadOutcome : uint32_t {
  kTaken = 1,     // POLICY has come before this
  kFaulty = 2,    // nothing has changed; message says why
  kStopping = 3,  // nor now, since caissond stops
};

inline constexpr uint64_t kMostReloadWaitMs = 60'000;

// The answer to RELOAD.
struct Reloaded {
  Header header;
  ReloadOutcome outcome;
  uint32_t reserved;               // 0
  uint64_t wait_ms;                // from now on, until the next RELOAD is permitted
  std::array<char, 2048> message;  // complaints about root's files, one a line, cut at its end
};

static_assert(std::is_trivially_copyable_v<Prepare> && std::is_trivially_copyable_v<Start> &&
              std::is_trivially_copyable_v<Cancel> && std::is_trivially_copyable_v<Hello> &&
              std::is_trivially_copyable_v<Prepared> && std::is_trivially_copyable_v<Finished>);

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_MESSAGES_H_
