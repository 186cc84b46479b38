#include "dispatcher/denial_text.h"

#include <asm/unistd_64.h>
#include <sys/socket.h>

#include <array>

#include "dispatcher/argument_names.h"
#include "ipc/run_streams.h"
#include "policy/filter_compiler.h"

namespace caisson::dispatcher {
namespace {

static_assert(wire::kI386Call == policy::kI386Call && wire::kX32Call == policy::kX32Call);

constexpr char kOther[] = "More different calls were refused than are listed one by one.";
constexpr char kUnnamed[] =
    "The profile does not allow this call; it failed with an error that the program saw. \"caisson profile "
    "explain\" lists "
    "what is allowed.";

constexpr char kNetwork[] =
    "A sandbox has no network. Send what the program needs as input files, or give the profile a network if "
    "it may "
    "have one.";
constexpr char kFamilies[] = "Only sockets between the processes of the run are offered (AF_UNIX).";
constexpr char kSocketOption[] = "This socket option is not offered; programs usually go on without it.";
constexpr char kNamespaces[] =
    "Inside a sandbox no further sandboxes, containers or namespaces can be made. Switch off a program's own "
    "sandbox "
    "where it has an option for that, often named no-sandbox.";
constexpr char kTracing[] =
    "Processes here may not look into each other, so debuggers and tracers do not work. Run them outside, or "
    "test with "
    "prints.";
constexpr char kMounts[] = "The file system is as the profile says and cannot be changed from inside.";
constexpr char kHost[] =
    "This administers the host, which no program of a run does. If yours is not hostile, it has taken the "
    "sandbox for a "
    "machine of its own.";
constexpr char kIds[] =
    "There is one user here, box (1000), and no way to become another. Leave out what changes users or "
    "groups.";
constexpr char kIpc[] =
    "System V and POSIX message queues, semaphores and shared segments are not offered. Use threads, pipes, "
    "AF_UNIX "
    "sockets, or files in /dev/shm.";
constexpr char kMemoryFile[] =
    "Files without a name cannot be made or executed. Use a file in /tmp or /dev/shm.";
constexpr char kLocking[] = "Memory cannot be locked. Leave it out; there is no swap here.";
constexpr char kScheduling[] =
    "Real-time scheduling and CPU affinity are the host's. The limit cpu_millis says how much CPU a run has.";
constexpr char kDevices[] = "Device files cannot be made; /dev has null, zero, full, random and urandom.";
constexpr char kFcntl[] = "This command of fcntl is not offered.";
constexpr char kLocks[] =
    "The run holds too many record locks, or made too many calls for locks of open files: the call failed "
    "with ENOLCK. "
    "Unlock what is not needed, or use flock.";
constexpr char kPipeSize[] = "Pipes keep their default size; programs go on with it.";
constexpr char kLease[] = "Leases on files are not offered; lock the file instead.";
constexpr char kIoctl[] =
    "This request to a device or terminal is not offered; the program was told that the descriptor does not "
    "know it.";
constexpr char kFilters[] =
    "A program here cannot add system call filters of its own. It is already confined.";
constexpr char kForeign[] =
    "The program made a 32-bit or x32 system call. Only 64-bit x86-64 programs run here: build it for "
    "x86-64.";
constexpr char kFlush[] = "Flushing whole file systems is the host's. fsync works on single files.";

struct Advice {
  int number;
  const char* text;
};

constexpr auto kAdvice = std::to_array<Advice>({
    {__NR_setsockopt, kSocketOption},
    {__NR_clone, kNamespaces},
    {__NR_unshare, kNamespaces},
    {__NR_setns, kNamespaces},
    {__NR_ptrace, kTracing},
    {__NR_process_vm_readv, kTracing},
    {__NR_process_vm_writev, kTracing},
    {__NR_process_madvise, kTracing},
    {__NR_kcmp, kTracing},
    {__NR_pidfd_getfd, kTracing},
    {__NR_perf_event_open, kTracing},
    {__NR_mount, kMounts},
    {__NR_umount2, kMounts},
    {__NR_pivot_root, kMounts},
    {__NR_chroot, kMounts},
    {__NR_open_tree, kMounts},
    {__NR_move_mount, kMounts},
    {__NR_fsopen, kMounts},
    {__NR_fsconfig, kMounts},
    {__NR_fsmount, kMounts},
    {__NR_fspick, kMounts},
    {__NR_mount_setattr, kMounts},
    {__NR_open_by_handle_at, kMounts},
    {__NR_setuid, kIds},
    {__NR_setgid, kIds},
    {__NR_setreuid, kIds},
    {__NR_setregid, kIds},
    {__NR_setresuid, kIds},
    {__NR_setresgid, kIds},
    {__NR_setfsuid, kIds},
    {__NR_setfsgid, kIds},
    {__NR_setgroups, kIds},
    {__NR_capset, kIds},
    {__NR_shmget, kIpc},
    {__NR_shmat, kIpc},
    {__NR_shmctl, kIpc},
    {__NR_shmdt, kIpc},
    {__NR_semget, kIpc},
    {__NR_semop, kIpc},
    {__NR_semctl, kIpc},
    {__NR_msgget, kIpc},
    {__NR_msgsnd, kIpc},
    {__NR_msgrcv, kIpc},
    {__NR_mq_open, kIpc},
    {__NR_memfd_create, kMemoryFile},
    {__NR_execveat, kMemoryFile},
    {__NR_mlock, kLocking},
    {__NR_mlock2, kLocking},
    {__NR_mlockall, kLocking},
    {__NR_munlockall, kLocking},
    {__NR_sched_setscheduler, kScheduling},
    {__NR_sched_setattr, kScheduling},
    {__NR_sched_setparam, kScheduling},
    {__NR_sched_setaffinity, kScheduling},
    {__NR_ioprio_set, kScheduling},
    {__NR_mknod, kDevices},
    {__NR_mknodat, kDevices},
    {__NR_ioctl, kIoctl},
    {__NR_seccomp, kFilters},
    {__NR_sync, kFlush},
    {__NR_syncfs, kFlush},
    {__NR_bpf, kHost},
    {__NR_reboot, kHost},
    {__NR_kexec_load, kHost},
    {__NR_kexec_file_load, kHost},
    {__NR_init_module, kHost},
    {__NR_finit_module, kHost},
    {__NR_delete_module, kHost},
    {__NR_swapon, kHost},
    {__NR_swapoff, kHost},
    {__NR_acct, kHost},
    {__NR_settimeofday, kHost},
    {__NR_clock_settime, kHost},
    {__NR_adjtimex, kHost},
    {__NR_clock_adjtime, kHost},
    {__NR_sethostname, kHost},
    {__NR_setdomainname, kHost},
    {__NR_syslog, kHost},
    {__NR_iopl, kHost},
    {__NR_ioperm, kHost},
    {__NR_quotactl, kHost},
    {__NR_keyctl, kHost},
    {__NR_add_key, kHost},
    {__NR_request_key, kHost},
    {wire::kI386Call, kForeign},
    {wire::kX32Call, kForeign},
});

const char* FcntlAdvice(uint32_t command) {
  constexpr uint32_t kSetLease = 1024;
  constexpr uint32_t kSetPipeSize = 1031;
  switch (command) {
    case 6:
    case 7:
    case 37:
    case 38:
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
  constexpr std::array<uint32_t, 4> kOfNetworks = {AF_INET, AF_INET6, AF_PACKET, AF_NETLINK};
  for (const uint32_t known : kOfNetworks) {
    if (family == known) {
      return kNetwork;
    }
  }
  return kFamilies;
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
  for (const Advice& advice : kAdvice) {
    if (advice.number == number) {
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
