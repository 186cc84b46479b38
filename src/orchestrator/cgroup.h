// Cgroups of one run, behind one interface: a unified (v2) backend and a hybrid one (v1 controllers with a v2
// tree beside them). Run by caissond as root. Reads only kernel files.
//
// Two levels, docs/adr/ says why: <run> holds the limit plus a fixed reserve, <run>/payload every limit, OOM
// kill and freeze. caisson-init lives beside the payload: in <run>/init, or in <run> itself where the kernel
// lets it.
#ifndef CAISSON_ORCHESTRATOR_CGROUP_H_
#define CAISSON_ORCHESTRATOR_CGROUP_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"

namespace caisson::orchestrator {

struct CgroupLimits {
  uint64_t memory_bytes = 0;  // of the payload; swap included
  uint64_t pids = 0;
  uint64_t cpu_millis = 0;  // 1000 = one CPU
  bool operator==(const CgroupLimits&) const = default;
};

// What <run> may hold beyond the payload's limit, for init: memory, processes, and a share of a CPU.
inline constexpr uint64_t kInitReserveBytes = 8ULL * 1024 * 1024;
inline constexpr uint64_t kInitReservePids = 8;
// And of CPU: enough to answer and to reap while the payload uses all of its share, not enough to be a way
// around it.
inline constexpr uint64_t kInitReserveCpuMillis = 100;

// What a run's TCP and UDP sockets may hold on cgroup v1. Beyond it the kernel shrinks windows and refuses to
// queue more, it kills nobody.
inline constexpr uint64_t kSocketBytes = uint64_t{16} << 20U;

// What the payload holds at one moment; files are the page cache it is charged for, those in /box among them.
struct MemoryParts {
  uint64_t anonymous_bytes = 0;
  uint64_t file_bytes = 0;
};

struct CgroupUsage {
  std::optional<uint64_t> cpu_user_us;
  std::optional<uint64_t> cpu_system_us;
  std::optional<uint64_t> memory_peak_bytes;
  std::optional<MemoryParts> memory_parts;  // never from ReadUsage: by then nothing is held
  std::optional<uint64_t> oom_kills;
  std::optional<uint64_t> pids_peak;
  std::optional<uint64_t> forks_denied;
};

// What the RunCgroup of one process hands to that of another, which goes on with the same run.
struct CgroupHandles {
  UniqueFd cpu_stat;
  UniqueFd oom_event;   // invalid where there is none
  CgroupLimits limits;  // as they were set
};

// The cgroups of one run. Destroying it closes descriptors and removes nothing: TryRemove does, and may have
// to be called again.
class RunCgroup {
 public:
  virtual ~RunCgroup() = default;

  // Writes what differs from the limits that were last set to payload (and limit + reserve to <run>), reads
  // each back. kFailedPrecondition if the kernel holds another value (memory is compared rounded down to
  // pages). Raising and lowering both work.
  absl::Status SetLimits(const CgroupLimits& limits);
  // For a payload that has a network: bounds what its sockets hold. On v2 they count against memory_bytes; v1
  // counts them apart, and not at all before this, so there it is kSocketBytes beside memory_bytes. An error
  // if this host counts them nowhere.
  virtual absl::Status BoundSockets() = 0;
  // The limits as the kernel states them now.
  virtual absl::StatusOr<CgroupLimits> ReadLimits() const = 0;

  // The v2 directory where init lives, for CLONE_INTO_CGROUP.
  virtual int clone_into_fd() const = 0;
  // Write-only cgroup.procs descriptors that init, before anything else, writes "0" to: v1 only.
  virtual std::vector<int> init_procs_fds() const = 0;
  // The same for the stub: the payload's leaf in every hierarchy.
  virtual std::vector<int> payload_procs_fds() const = 0;
  // Called once init holds its copies: closes both kinds here.
  virtual void CloseProcsFds() = 0;

  // For AdoptRun of another process; this one is then good for nothing but to be destroyed.
  virtual CgroupHandles Release() = 0;

  // Host pids in <run>/payload.
  virtual absl::StatusOr<std::vector<pid_t>> PayloadPids() const = 0;
  // Whether no process is left in <run>/payload, or below it: the kernel's word, and final, since nobody else
  // can enter any more (cgroup.procs is closed).
  virtual absl::StatusOr<bool> PayloadIsEmpty() const = 0;
  // Host thread ids in it.
  virtual absl::StatusOr<std::vector<pid_t>> PayloadThreads() const = 0;
  // SIGKILL to everything in payload / in all of <run>, atomically against forks (cgroup.kill where the
  // kernel has it).
  virtual absl::Status KillPayload() = 0;
  virtual absl::Status KillAll() = 0;

  // Becomes readable (eventfd) when an OOM kill happens in payload; -1 where the kernel kills the whole group
  // itself (memory.oom.group).
  virtual int oom_event_fd() const = 0;
  // User plus system microseconds of the whole run so far, init's included: a payload that keeps init busy
  // pays for it. ReadUsage tells the payload's alone.
  virtual absl::StatusOr<uint64_t> CpuMicros() const = 0;
  virtual absl::StatusOr<CgroupUsage> ReadUsage() const = 0;
  virtual absl::StatusOr<MemoryParts> ReadMemoryParts() const = 0;

  // Removes every directory. kUnavailable while the kernel still holds one busy: call again a little later.
  virtual absl::Status TryRemove() = 0;

 protected:
  // Each for <run> and for payload, in an order that the kernel takes.
  virtual absl::Status SetMemoryLimit(uint64_t bytes) = 0;
  virtual absl::Status SetPidsLimit(uint64_t pids) = 0;
  virtual absl::Status SetCpuLimit(uint64_t cpu_millis) = 0;

  CgroupLimits held_;  // what SetLimits set; 0: never
};

// All cgroups of one caissond: <own cgroup>/<instance>/… in each hierarchy.
class CgroupBackend {
 public:
  virtual ~CgroupBackend() = default;

  // Finds out which backend this host needs, moves caissond into a leaf of its own where v2 wants that, makes
  // the instance's directories. kFailedPrecondition with what is missing and how to mend it. `instance` is a
  // name of ours, [a-z0-9-]+.
  static absl::StatusOr<std::unique_ptr<CgroupBackend>> Open(const std::string& instance);

  virtual ipc::CgroupBackend kind() const = 0;
  // The directories that hold everything of this instance, for the record that a later start sweeps by.
  virtual std::vector<std::string> instance_directories() const = 0;
  // `name` is a name of ours, [a-z0-9-]+, unique among live runs.
  virtual absl::StatusOr<std::unique_ptr<RunCgroup>> CreateRun(const std::string& name) = 0;
  // A run that another process of ours has created. Without handles it can be removed, and nothing else.
  virtual std::unique_ptr<RunCgroup> AdoptRun(const std::string& name, CgroupHandles handles) = 0;
  // What must stay open in a process that is to create runs.
  virtual std::vector<int> descriptors() const = 0;
  // Whether swap can be limited together with memory (memsw / memory.swap.max), or there is no swap.
  virtual bool swap_is_bounded() const = 0;
  // Removes the instance's own directories; its runs must be gone.
  virtual absl::Status RemoveInstance() = 0;
};

// Kills and removes everything below `directories`, each of which must be an absolute path below a mounted
// cgroup file system whose last component is `instance`; anything else is refused, nothing is matched by
// pattern. Waits, bounded, for processes to be gone. For what a killed predecessor left.
absl::Status SweepInstance(const std::vector<std::string>& directories, const std::string& instance);

// Whether caissond should start itself again through systemd-run --scope -p Delegate=yes: systemd runs this
// host, the tree is pure v2, and the own cgroup was not left to us, so Open would be refused or would fight
// with systemd.
bool NeedsDelegatedScope();

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_CGROUP_H_
