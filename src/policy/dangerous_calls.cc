#include "policy/dangerous_calls.h"

#include <array>

namespace caisson::policy {
namespace {

constexpr FixedArgument kAny{};
constexpr FixedArgument kSocketLevel{1, 1};  // SOL_SOCKET: other levels number their options anew

constexpr std::array<NamedCall, 17> kStubCalls = {{
    {"close", kAny, "closes what it no longer needs"},
    {"close_range", kAny, "takes a descriptor table of its own and closes all but five, CLOSE_RANGE_UNSHARE"},
    {"dup2", kAny, "puts the standard streams in place"},
    {"execve", kAny, "starts the program"},
    {"exit_group", kAny, "leaves after a failure"},
    {"fchmod", kAny, "gives an input file its mode whatever the umask"},
    {"fcntl", {1, 2}, "F_SETFD: close-on-exec for the bundle and the error pipe"},
    {"lseek", kAny, "finds the bundle's size"},
    {"mkdirat", kAny, "makes the directories of input files"},
    {"mmap", kAny, "maps the bundle, and memory for argv and env"},
    {"munmap", kAny, "gives them back"},
    {"newfstatat", kAny, "checks what it has made"},
    {"openat", {2, 0xa00c1}, "creates the input files"},  // O_WRONLY, CREAT, EXCL, NOFOLLOW, CLOEXEC
    {"pread64", kAny, "reads the bundle"},
    {"prlimit64", {0, 0}, "sets the run's resource limits on itself"},
    {"read", kAny, "reads the bundle"},
    {"write", kAny, "writes the input files, and the record of a failure"},
}};

constexpr std::string_view kNamespaces = "makes or enters namespaces, where kernel bugs are reached as root";
constexpr std::string_view kMounts = "changes mounts";
constexpr std::string_view kOthers = "reads or changes other processes";
constexpr std::string_view kKernel = "changes the running kernel";
constexpr std::string_view kRing = "performs calls behind the filter's back";
constexpr std::string_view kBug = "a frequent source of kernel exploits";
constexpr std::string_view kKeys = "the kernel keyring is shared between processes of one uid";
constexpr std::string_view kShared = "kernel objects that outlive a process and count against its uid";
constexpr std::string_view kSocketBpf = "loads a program into the kernel";

constexpr std::string_view kFlush =
    "flushes the host's disk when the file is one of its own; the action succeed serves";
constexpr std::string_view kDirect = "reads the host's disk past the page cache";
constexpr std::string_view kLocks =
    "record locks take kernel memory that no limit covers; the action count bounds them";
constexpr std::string_view kDevices = "makes device files";

constexpr uint32_t kCharacterDevice = 0x2000;  // S_IFCHR
constexpr uint32_t kBlockDevice = 0x6000;      // S_IFBLK

constexpr uint32_t kFcntlSetPipeSize = 1031;
constexpr uint32_t kIoctlTiocsti = 0x5412;
constexpr uint32_t kIoctlTioclinux = 0x541c;
constexpr uint32_t kIoctlTioccons = 0x541d;
constexpr uint32_t kIoctlTiocsetd = 0x5423;

constexpr auto kDangerousCalls = std::to_array<NamedCall>({
    {"unshare", kAny, kNamespaces},
    {"setns", kAny, kNamespaces},
    {"clone3", kAny, "its flags are behind a pointer, where no filter sees them"},
    {"clone", {0, 0x00020000}, kNamespaces},  // CLONE_NEWNS
    {"clone", {0, 0x02000000}, kNamespaces},  // CLONE_NEWCGROUP
    {"clone", {0, 0x04000000}, kNamespaces},  // CLONE_NEWUTS
    {"clone", {0, 0x08000000}, kNamespaces},  // CLONE_NEWIPC
    {"clone", {0, 0x10000000}, kNamespaces},  // CLONE_NEWUSER
    {"clone", {0, 0x20000000}, kNamespaces},  // CLONE_NEWPID
    {"clone", {0, 0x40000000}, kNamespaces},  // CLONE_NEWNET
    {"mount", kAny, kMounts},
    {"umount2", kAny, kMounts},
    {"pivot_root", kAny, kMounts},
    {"chroot", kAny, kMounts},
    {"fsopen", kAny, kMounts},
    {"fsconfig", kAny, kMounts},
    {"fsmount", kAny, kMounts},
    {"fspick", kAny, kMounts},
    {"open_tree", kAny, kMounts},
    {"move_mount", kAny, kMounts},
    {"mount_setattr", kAny, kMounts},
    {"ptrace", kAny, kOthers},
    {"process_vm_readv", kAny, kOthers},
    {"process_vm_writev", kAny, kOthers},
    {"process_madvise", kAny, kOthers},
    {"pidfd_getfd", kAny, kOthers},
    {"kcmp", kAny, kOthers},
    {"bpf", kAny, kSocketBpf},
    {"setsockopt", {2, 26}, kSocketBpf, kSocketLevel},  // SO_ATTACH_FILTER
    {"setsockopt", {2, 50}, kSocketBpf, kSocketLevel},  // SO_ATTACH_BPF
    {"setsockopt", {2, 51}, kSocketBpf, kSocketLevel},  // SO_ATTACH_REUSEPORT_CBPF
    {"setsockopt", {2, 52}, kSocketBpf, kSocketLevel},  // SO_ATTACH_REUSEPORT_EBPF
    {"setsockopt", {2, 31}, kBug, {1, 6}},              // TCP_ULP
    {"perf_event_open", kAny, kBug},
    {"userfaultfd", kAny, kBug},
    {"io_uring_setup", kAny, kRing},
    {"io_uring_enter", kAny, kRing},
    {"io_uring_register", kAny, kRing},
    {"add_key", kAny, kKeys},
    {"request_key", kAny, kKeys},
    {"keyctl", kAny, kKeys},
    {"shmget", kAny, kShared},
    {"semget", kAny, kShared},
    {"msgget", kAny, kShared},
    {"mq_open", kAny, kShared},
    {"open_by_handle_at", kAny, "opens files past every directory on the way"},
    {"memfd_create", kAny, "makes executable files that no noexec mount reaches"},
    {"execveat", kAny, "executes files that have no path"},
    {"mknod", {1, kCharacterDevice}, kDevices},
    {"mknod", {1, kBlockDevice}, kDevices},
    {"mknodat", {2, kCharacterDevice}, kDevices},
    {"mknodat", {2, kBlockDevice}, kDevices},
    {"kexec_load", kAny, kKernel},
    {"kexec_file_load", kAny, kKernel},
    {"init_module", kAny, kKernel},
    {"finit_module", kAny, kKernel},
    {"delete_module", kAny, kKernel},
    {"reboot", kAny, kKernel},
    {"swapon", kAny, kKernel},
    {"swapoff", kAny, kKernel},
    {"acct", kAny, kKernel},
    {"iopl", kAny, kKernel},
    {"ioperm", kAny, kKernel},
    {"modify_ldt", kAny, kBug},
    {"settimeofday", kAny, kKernel},
    {"clock_settime", kAny, kKernel},
    {"adjtimex", kAny, kKernel},
    {"clock_adjtime", kAny, kKernel},
    {"sethostname", kAny, kKernel},
    {"setdomainname", kAny, kKernel},
    {"quotactl", kAny, kKernel},
    {"syslog", kAny, "reads the kernel's log"},
    {"seccomp", kAny, "stacks filters that can hide denials"},
    {"fsync", kAny, kFlush},
    {"fdatasync", kAny, kFlush},
    {"sync_file_range", kAny, kFlush},
    {"msync", {2, 4}, kFlush},         // MS_SYNC
    {"openat", {2, 0x4000}, kDirect},  // O_DIRECT
    {"open", {1, 0x4000}, kDirect},
    {"fadvise64", {3, 4}, "drops cached pages that the host and other runs use"},  // POSIX_FADV_DONTNEED
    {"sync", kAny, "flushes every file system of the host"},
    {"syncfs", kAny, "flushes a whole file system of the host"},
    {"mlock", kAny, "pins memory of the host"},
    {"mlockall", kAny, "pins memory of the host"},
    {"fcntl", {1, 6}, kLocks},                                                      // F_SETLK
    {"fcntl", {1, 7}, kLocks},                                                      // F_SETLKW
    {"fcntl", {1, 37}, kLocks},                                                     // F_OFD_SETLK
    {"fcntl", {1, 38}, kLocks},                                                     // F_OFD_SETLKW
    {"fcntl", {1, 1024}, "a lease lets the program delay whoever opens the file"},  // F_SETLEASE
    {"fcntl", {1, kFcntlSetPipeSize}, "a grown pipe takes from the quota that all pipes of the uid share"},
    {"ioctl", {1, kIoctlTiocsti}, "types into the terminal as if the user did"},
    {"ioctl", {1, kIoctlTioclinux}, "types into the console as if the user did"},
    {"ioctl", {1, kIoctlTioccons}, "redirects the host's console"},
    {"ioctl", {1, kIoctlTiocsetd}, "loads line disciplines, a frequent source of kernel exploits"},
    {"prlimit64", {0, 1}, "changes the limits of another process"},
    {"personality", {0, 0x00400000}, "READ_IMPLIES_EXEC makes all memory executable"},
});

constexpr std::array<std::string_view, 11> kSensitivePaths = {
    "/boot", "/dev", "/home", "/media", "/mnt", "/proc", "/root", "/run", "/srv", "/sys", "/var",
};

}  // namespace

std::span<const NamedCall> StubCalls() { return kStubCalls; }

std::span<const NamedCall> DangerousCalls() { return kDangerousCalls; }

std::span<const std::string_view> SensitivePaths() { return kSensitivePaths; }

}  // namespace caisson::policy
