#include "dispatcher/denial_text.h"

#include <asm/unistd_64.h>
#include <sys/socket.h>

#include <algorithm>

#include "dispatcher/argument_names.h"
#include "ipc/run_streams.h"
#include "policy/filter_compiler.h"

namespace caisson::dispatcher {
namespace {

static_assert(wire::kI386Call == policy::kI386Call && wire::kX32Call == policy::kX32Call);

constexpr char kOther[] = "More different calls were refused than are listed one by one.";
constexpr char kUnnamed[] =
    "The profile does not allow this call; it failed with an error that the program saw. "
    "\"caisson profile explain\" lists what is allowed.";

// Advice that depends on an argument.
constexpr char kNetwork[] =
    "A sandbox has no network. Send what the program needs as input files, "
    "or give the profile a network if it may have one.";
constexpr char kFamilies[] = "Only sockets between the processes of the run are offered (AF_UNIX).";
constexpr char kOutOfBand[] =
    "Out-of-band data (MSG_OOB) is not offered, whatever the socket. Send it among the rest.";
constexpr char kFcntl[] = "This command of fcntl is not offered.";
constexpr char kLocks[] =
    "The run holds too many record locks, or made too many calls for locks of open files: "
    "the call failed with ENOLCK. Unlock what is not needed, or use flock.";
constexpr char kPipeSize[] = "Pipes keep their default size; programs go on with it.";
constexpr char kLease[] = "Leases on files are not offered; lock the file instead.";

constexpr int kNamespaces[] = {__NR_clone, __NR_unshare, __NR_setns};
constexpr int kTracing[] = {
    __NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_process_madvise,
    __NR_kcmp,   __NR_pidfd_getfd,      __NR_perf_event_open,
};
constexpr int kMounts[] = {
    __NR_mount,  __NR_umount2,  __NR_pivot_root, __NR_chroot, __NR_open_tree,     __NR_move_mount,
    __NR_fsopen, __NR_fsconfig, __NR_fsmount,    __NR_fspick, __NR_mount_setattr, __NR_open_by_handle_at,
};
constexpr int kIds[] = {
    __NR_setuid,    __NR_setgid,   __NR_setreuid, __NR_setregid,  __NR_setresuid,
    __NR_setresgid, __NR_setfsuid, __NR_setfsgid, __NR_setgroups, __NR_capset,
};
constexpr int kIpc[] = {
    __NR_shmget, __NR_shmat,  __NR_shmctl, __NR_shmdt,  __NR_semget,  __NR_semop,
    __NR_semctl, __NR_msgget, __NR_msgsnd, __NR_msgrcv, __NR_mq_open,
};
constexpr int kMemoryFiles[] = {__NR_memfd_create, __NR_execveat};
constexpr int kLocking[] = {__NR_mlock, __NR_mlock2, __NR_mlockall, __NR_munlockall};
constexpr int kScheduling[] = {__NR_sched_setscheduler, __NR_sched_setattr, __NR_sched_setparam,
                               __NR_sched_setaffinity, __NR_ioprio_set};
constexpr int kDevices[] = {__NR_mknod, __NR_mknodat};
constexpr int kSocketOptions[] = {__NR_setsockopt};
constexpr int kIoctls[] = {__NR_ioctl};
constexpr int kFilters[] = {__NR_seccomp};
constexpr int kFlushing[] = {__NR_sync, __NR_syncfs};
constexpr int kForeign[] = {wire::kI386Call, wire::kX32Call};
constexpr int kHost[] = {
    __NR_bpf,           __NR_reboot,        __NR_kexec_load,  __NR_kexec_file_load, __NR_init_module,
    __NR_finit_module,  __NR_delete_module, __NR_swapon,      __NR_swapoff,         __NR_acct,
    __NR_settimeofday,  __NR_clock_settime, __NR_adjtimex,    __NR_clock_adjtime,   __NR_sethostname,
    __NR_setdomainname, __NR_syslog,        __NR_iopl,        __NR_ioperm,          __NR_quotactl,
    __NR_keyctl,        __NR_add_key,       __NR_request_key,
};

struct Advice {
  std::span<const int> calls;
  const char* text;
};

constexpr Advice kAdvice[] = {
    {kNamespaces,
     "Inside a sandbox no further sandboxes, containers or namespaces can be made. "
     "Switch off a program's own sandbox where it has an option for that, often named no-sandbox."},
    {kTracing,
     "Processes here may not look into each other, so debuggers and tracers do not work. "
     "Run them outside, or test with prints."},
    {kMounts, "The file system is as the profile says and cannot be changed from inside."},
    {kIds,
     "There is one user here, box (1000), and no way to become another. "
     "Leave out what changes users or groups."},
    {kIpc,
     "System V and POSIX message queues, semaphores and shared segments are not offered. "
     "Use threads, pipes, AF_UNIX sockets, or files in /dev/shm."},
    {kMemoryFiles, "Files without a name cannot be made or executed. Use a file in /tmp or /dev/shm."},
    {kLocking, "Memory cannot be locked. Leave it out; there is no swap here."},
    {kScheduling,
     "Real-time scheduling and CPU affinity are the host's. "
     "The limit cpu_millis says how much CPU a run has."},
    {kDevices, "Device files cannot be made; /dev has null, zero, full, random and urandom."},
    {kSocketOptions, "This socket option is not offered; programs usually go on without it."},
    {kIoctls,
     "This request to a device or terminal is not offered; "
     "the program was told that the descriptor does not know it."},
    {kFilters, "A program here cannot add system call filters of its own. It is already confined."},
    {kFlushing, "Flushing whole file systems is the host's. fsync works on single files."},
    {kForeign,
     "The program made a 32-bit or x32 system call. "
     "Only 64-bit x86-64 programs run here: build it for x86-64."},
    {kHost,
     "This administers the host, which no program of a run does. "
     "If yours is not hostile, it has taken the sandbox for a machine of its own."},
};

const char* FcntlAdvice(uint32_t command) {
  // Those of fcntl.h that hide behind _GNU_SOURCE or differ with the size of off_t, by the kernel's numbers.
  constexpr uint32_t kSetLock = 6;
  constexpr uint32_t kSetLockWaiting = 7;
  constexpr uint32_t kSetOpenFileLock = 37;
  constexpr uint32_t kSetOpenFileLockWaiting = 38;
  constexpr uint32_t kSetLease = 1024;
  constexpr uint32_t kSetPipeSize = 1031;
  switch (command) {
    case kSetLock:
    case kSetLockWaiting:
    case kSetOpenFileLock:
    case kSetOpenFileLockWaiting:
      return kLocks;
    case kSetLease:
      return kLease;
    case kSetPipeSize:
      return kPipeSize;
    default:
      return kFcntl;
  }
}

const char* SocketAdvice(uint32_t family) {
  switch (family) {
    case AF_INET:
    case AF_INET6:
    case AF_PACKET:
    case AF_NETLINK:
      return kNetwork;
    default:
      return kFamilies;
  }
}

// Which argument of a call that sends or receives has the flags; 0: it is none.
size_t MessageFlags(int number) {
  switch (number) {
    case __NR_sendto:
    case __NR_recvfrom:
    case __NR_sendmmsg:
    case __NR_recvmmsg:
      return 3;
    case __NR_sendmsg:
    case __NR_recvmsg:
      return 2;
    default:
      return 0;
  }
}

const char* AdviceFor(int number, std::span<const uint64_t, kSyscallArguments> args) {
  if (number < 0) {
    return kOther;
  }
  if (number == __NR_socket || number == __NR_socketpair) {
    return SocketAdvice(static_cast<uint32_t>(args[0]));
  }
  if (number == __NR_fcntl) {
    return FcntlAdvice(static_cast<uint32_t>(args[1]));
  }
  if (const size_t flags = MessageFlags(number); flags != 0 && (args[flags] & MSG_OOB) != 0) {
    return kOutOfBand;
  }
  for (const Advice& advice : kAdvice) {
    if (std::find(advice.calls.begin(), advice.calls.end(), number) != advice.calls.end()) {
      return advice.text;
    }
  }
  return kUnnamed;
}

}  // namespace

DenialText DescribeDenial(int number, std::span<const uint64_t, kSyscallArguments> args) {
  DenialText text;
  if (number >= 0) {
    text.arguments = DecodeArguments(number, args);
  }
  text.explanation = AdviceFor(number, args);
  return text;
}

}  // namespace caisson::dispatcher
