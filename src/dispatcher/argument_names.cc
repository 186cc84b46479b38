#include "dispatcher/argument_names.h"

#include <asm/unistd_64.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <string_view>

namespace caisson::dispatcher {
namespace {

struct Name {
  uint64_t value;
  const char* text;
};
using Names = std::span<const Name>;

constexpr auto kFamilies = std::to_array<Name>({
    {AF_UNIX, "AF_UNIX"},
    {AF_INET, "AF_INET"},
    {AF_INET6, "AF_INET6"},
    {AF_NETLINK, "AF_NETLINK"},
    {AF_PACKET, "AF_PACKET"},
    {AF_ALG, "AF_ALG"},
    {AF_VSOCK, "AF_VSOCK"},
    {AF_BLUETOOTH, "AF_BLUETOOTH"},
    {AF_CAN, "AF_CAN"},
    {AF_XDP, "AF_XDP"},
    {AF_KEY, "AF_KEY"},
    {AF_TIPC, "AF_TIPC"},
    {AF_RDS, "AF_RDS"},
});
constexpr auto kSocketTypes = std::to_array<Name>({
    {SOCK_STREAM, "SOCK_STREAM"},
    {SOCK_DGRAM, "SOCK_DGRAM"},
    {SOCK_RAW, "SOCK_RAW"},
    {SOCK_SEQPACKET, "SOCK_SEQPACKET"},
    {SOCK_PACKET, "SOCK_PACKET"},
});
constexpr auto kSocketFlags = std::to_array<Name>({
    {SOCK_NONBLOCK, "SOCK_NONBLOCK"},
    {SOCK_CLOEXEC, "SOCK_CLOEXEC"},
});
constexpr auto kMessageFlags = std::to_array<Name>({
    {MSG_OOB, "MSG_OOB"},
    {MSG_PEEK, "MSG_PEEK"},
    {MSG_DONTWAIT, "MSG_DONTWAIT"},
    {MSG_WAITALL, "MSG_WAITALL"},
    {MSG_NOSIGNAL, "MSG_NOSIGNAL"},
    {MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"},
});
constexpr auto kCloneFlags = std::to_array<Name>({
    {CLONE_NEWNS, "CLONE_NEWNS"},
    {CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
    {CLONE_NEWUTS, "CLONE_NEWUTS"},
    {CLONE_NEWIPC, "CLONE_NEWIPC"},
    {CLONE_NEWUSER, "CLONE_NEWUSER"},
    {CLONE_NEWPID, "CLONE_NEWPID"},
    {CLONE_NEWNET, "CLONE_NEWNET"},
    {CLONE_VM, "CLONE_VM"},
    {CLONE_FS, "CLONE_FS"},
    {CLONE_FILES, "CLONE_FILES"},
    {CLONE_SIGHAND, "CLONE_SIGHAND"},
    {CLONE_VFORK, "CLONE_VFORK"},
    {CLONE_THREAD, "CLONE_THREAD"},
    {CLONE_SYSVSEM, "CLONE_SYSVSEM"},
    {CLONE_PTRACE, "CLONE_PTRACE"},
});
constexpr auto kFcntlCommands = std::to_array<Name>({
    {6, "F_SETLK"},
    {7, "F_SETLKW"},
    {8, "F_SETOWN"},
    {10, "F_SETSIG"},
    {15, "F_SETOWN_EX"},
    {37, "F_OFD_SETLK"},
    {38, "F_OFD_SETLKW"},
    {1024, "F_SETLEASE"},
    {1025, "F_GETLEASE"},
    {1026, "F_NOTIFY"},
    {1031, "F_SETPIPE_SZ"},
    {1033, "F_ADD_SEALS"},
    {1034, "F_GET_SEALS"},
});
constexpr auto kIoctlRequests = std::to_array<Name>({
    {0x5402, "TCSETS"},
    {0x5403, "TCSETSW"},
    {0x5404, "TCSETSF"},
    {0x5407, "TCSETAW"},
    {0x540e, "TIOCSCTTY"},
    {0x5410, "TIOCSPGRP"},
    {0x5412, "TIOCSTI"},
    {0x5414, "TIOCSWINSZ"},
    {0x541c, "TIOCLINUX"},
    {0x5422, "TIOCNOTTY"},
    {0x5429, "TIOCGSID"},
    {0x8910, "SIOCGIFNAME"},
    {0x8912, "SIOCGIFCONF"},
    {0x8913, "SIOCGIFFLAGS"},
    {0x8915, "SIOCGIFADDR"},
    {0x8927, "SIOCGIFHWADDR"},
    {0x8933, "SIOCGIFINDEX"},
    {0x80045430, "TIOCGPTN"},
    {0x80081270, "BLKBSZGET"},
    {0x80086601, "FS_IOC_GETFLAGS"},
    {0x40086602, "FS_IOC_SETFLAGS"},
    {0x40049409, "FICLONE"},
    {0xc020660b, "FS_IOC_FIEMAP"},
});
constexpr auto kPrctlOptions = std::to_array<Name>({
    {PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"},
    {PR_GET_PDEATHSIG, "PR_GET_PDEATHSIG"},
    {PR_SET_DUMPABLE, "PR_SET_DUMPABLE"},
    {PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"},
    {PR_SET_SECCOMP, "PR_SET_SECCOMP"},
    {PR_CAPBSET_DROP, "PR_CAPBSET_DROP"},
    {PR_SET_SECUREBITS, "PR_SET_SECUREBITS"},
    {PR_GET_SECUREBITS, "PR_GET_SECUREBITS"},
    {PR_SET_TIMERSLACK, "PR_SET_TIMERSLACK"},
    {PR_TASK_PERF_EVENTS_DISABLE, "PR_TASK_PERF_EVENTS_DISABLE"},
    {PR_MCE_KILL, "PR_MCE_KILL"},
    {PR_SET_MM, "PR_SET_MM"},
    {PR_SET_CHILD_SUBREAPER, "PR_SET_CHILD_SUBREAPER"},
    {PR_GET_CHILD_SUBREAPER, "PR_GET_CHILD_SUBREAPER"},
    {PR_CAP_AMBIENT, "PR_CAP_AMBIENT"},
    {PR_SET_PTRACER, "PR_SET_PTRACER"},
    {PR_SET_SPECULATION_CTRL, "PR_SET_SPECULATION_CTRL"},
    {PR_GET_SPECULATION_CTRL, "PR_GET_SPECULATION_CTRL"},
    {PR_SET_IO_FLUSHER, "PR_SET_IO_FLUSHER"},
    {PR_SCHED_CORE, "PR_SCHED_CORE"},
});
constexpr auto kPtraceRequests = std::to_array<Name>({
    {PTRACE_TRACEME, "PTRACE_TRACEME"},
    {PTRACE_PEEKTEXT, "PTRACE_PEEKTEXT"},
    {PTRACE_PEEKDATA, "PTRACE_PEEKDATA"},
    {PTRACE_POKETEXT, "PTRACE_POKETEXT"},
    {PTRACE_POKEDATA, "PTRACE_POKEDATA"},
    {PTRACE_CONT, "PTRACE_CONT"},
    {PTRACE_KILL, "PTRACE_KILL"},
    {PTRACE_ATTACH, "PTRACE_ATTACH"},
    {PTRACE_DETACH, "PTRACE_DETACH"},
    {PTRACE_SEIZE, "PTRACE_SEIZE"},
    {PTRACE_GETREGSET, "PTRACE_GETREGSET"},
    {PTRACE_SETREGSET, "PTRACE_SETREGSET"},
});
constexpr auto kSocketLevels = std::to_array<Name>({
    {SOL_SOCKET, "SOL_SOCKET"},
    {0, "IPPROTO_IP"},
    {6, "IPPROTO_TCP"},
    {41, "IPPROTO_IPV6"},
});
constexpr auto kMadvice = std::to_array<Name>({
    {MADV_REMOVE, "MADV_REMOVE"},
    {MADV_MERGEABLE, "MADV_MERGEABLE"},
    {MADV_UNMERGEABLE, "MADV_UNMERGEABLE"},
    {MADV_COLD, "MADV_COLD"},
    {MADV_PAGEOUT, "MADV_PAGEOUT"},
    {MADV_HWPOISON, "MADV_HWPOISON"},
    {101, "MADV_SOFT_OFFLINE"},
    {24, "MADV_DONTNEED_LOCKED"},
    {25, "MADV_COLLAPSE"},
});
constexpr auto kSeccompOperations = std::to_array<Name>({
    {SECCOMP_SET_MODE_STRICT, "SECCOMP_SET_MODE_STRICT"},
    {SECCOMP_SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"},
    {SECCOMP_GET_ACTION_AVAIL, "SECCOMP_GET_ACTION_AVAIL"},
    {SECCOMP_GET_NOTIF_SIZES, "SECCOMP_GET_NOTIF_SIZES"},
});
constexpr auto kBpfCommands = std::to_array<Name>({
    {BPF_MAP_CREATE, "BPF_MAP_CREATE"},
    {BPF_PROG_LOAD, "BPF_PROG_LOAD"},
    {BPF_OBJ_GET, "BPF_OBJ_GET"},
    {BPF_PROG_ATTACH, "BPF_PROG_ATTACH"},
    {BPF_BTF_LOAD, "BPF_BTF_LOAD"},
});
constexpr auto kKeyctlOperations = std::to_array<Name>({
    {KEYCTL_GET_KEYRING_ID, "KEYCTL_GET_KEYRING_ID"},
    {KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING"},
    {KEYCTL_READ, "KEYCTL_READ"},
    {KEYCTL_SEARCH, "KEYCTL_SEARCH"},
});
constexpr auto kFileTypes = std::to_array<Name>({
    {S_IFCHR, "S_IFCHR"},
    {S_IFBLK, "S_IFBLK"},
    {S_IFIFO, "S_IFIFO"},
    {S_IFSOCK, "S_IFSOCK"},
    {S_IFREG, "S_IFREG"},
});
constexpr auto kMemfdFlags = std::to_array<Name>({
    {MFD_CLOEXEC, "MFD_CLOEXEC"},
    {MFD_ALLOW_SEALING, "MFD_ALLOW_SEALING"},
    {MFD_HUGETLB, "MFD_HUGETLB"},
});
constexpr auto kPolicies = std::to_array<Name>({
    {SCHED_OTHER, "SCHED_OTHER"},
    {SCHED_FIFO, "SCHED_FIFO"},
    {SCHED_RR, "SCHED_RR"},
    {SCHED_BATCH, "SCHED_BATCH"},
    {SCHED_IDLE, "SCHED_IDLE"},
});

std::string Number(uint64_t value) {
  std::array<char, 32> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), value < 10 ? "%llu" : "0x%llx",
                                  static_cast<unsigned long long>(value)));  // NOLINT(google-runtime-int)
  return text.data();
}

std::string NameOf(Names names, uint64_t value) {
  for (const Name& name : names) {
    if (name.value == value) {
      return name.text;
    }
  }
  return Number(value);
}

// "A|B|0x40" for a value of flags; "0" for none.
std::string FlagsOf(Names names, uint64_t value) {
  std::string text;
  for (const Name& name : names) {
    if ((value & name.value) == name.value) {
      text += (text.empty() ? "" : "|") + std::string(name.text);
      value &= ~name.value;
    }
  }
  if (value != 0 || text.empty()) {
    text += (text.empty() ? "" : "|") + Number(value);
  }
  return text;
}

// How one argument is written.
enum class Kind : uint8_t { kName, kFlags, kClone, kSocketType, kFileType, kNumber };

struct Argument {
  size_t index;
  Kind kind;
  Names names;
};

struct Row {
  int number;
  std::array<Argument, 3> arguments;
  size_t count;
};

constexpr Argument kNone{0, Kind::kNumber, {}};

constexpr Row One(int number, Argument argument) { return {number, {argument, kNone, kNone}, 1}; }
constexpr Row Two(int number, Argument first, Argument second) { return {number, {first, second, kNone}, 2}; }

constexpr Argument kFamily{0, Kind::kName, kFamilies};
constexpr Argument kType{1, Kind::kSocketType, kSocketTypes};
constexpr Argument kProtocol{2, Kind::kNumber, {}};

const auto kRows = std::to_array<Row>({
    {__NR_socket, {kFamily, kType, kProtocol}, 3},
    {__NR_socketpair, {kFamily, kType, kProtocol}, 3},
    Two(__NR_setsockopt, {1, Kind::kName, kSocketLevels}, {2, Kind::kNumber, {}}),
    One(__NR_sendto, {3, Kind::kFlags, kMessageFlags}),
    One(__NR_sendmsg, {2, Kind::kFlags, kMessageFlags}),
    One(__NR_sendmmsg, {3, Kind::kFlags, kMessageFlags}),
    One(__NR_recvfrom, {3, Kind::kFlags, kMessageFlags}),
    One(__NR_recvmsg, {2, Kind::kFlags, kMessageFlags}),
    One(__NR_recvmmsg, {3, Kind::kFlags, kMessageFlags}),
    One(__NR_clone, {0, Kind::kClone, kCloneFlags}),
    One(__NR_unshare, {0, Kind::kFlags, kCloneFlags}),
    One(__NR_setns, {1, Kind::kFlags, kCloneFlags}),
    One(__NR_fcntl, {1, Kind::kName, kFcntlCommands}),
    One(__NR_ioctl, {1, Kind::kName, kIoctlRequests}),
    One(__NR_prctl, {0, Kind::kName, kPrctlOptions}),
    One(__NR_ptrace, {0, Kind::kName, kPtraceRequests}),
    One(__NR_madvise, {2, Kind::kName, kMadvice}),
    One(__NR_seccomp, {0, Kind::kName, kSeccompOperations}),
    One(__NR_bpf, {0, Kind::kName, kBpfCommands}),
    One(__NR_keyctl, {0, Kind::kName, kKeyctlOperations}),
    One(__NR_mknod, {1, Kind::kFileType, kFileTypes}),
    One(__NR_mknodat, {2, Kind::kFileType, kFileTypes}),
    One(__NR_memfd_create, {1, Kind::kFlags, kMemfdFlags}),
    One(__NR_sched_setscheduler, {1, Kind::kName, kPolicies}),
    One(__NR_personality, {0, Kind::kNumber, {}}),
    One(__NR_arch_prctl, {0, Kind::kNumber, {}}),
});

// The kernel takes these arguments as 32-bit numbers.
constexpr uint64_t kLow = 0xffffffffU;

std::string Write(const Argument& argument, uint64_t value) {
  switch (argument.kind) {
    case Kind::kName:
      return NameOf(argument.names, value & kLow);
    case Kind::kFlags:
      return FlagsOf(argument.names, value & kLow);
    case Kind::kClone:
      return FlagsOf(argument.names, value & kLow & ~uint64_t{CSIGNAL});
    case Kind::kSocketType: {
      constexpr uint64_t kFlagBits = SOCK_NONBLOCK | SOCK_CLOEXEC;
      const std::string type = NameOf(argument.names, value & kLow & ~kFlagBits);
      const uint64_t flags = value & kFlagBits;
      return flags == 0 ? type : type + "|" + FlagsOf(kSocketFlags, flags);
    }
    case Kind::kFileType:
      return NameOf(argument.names, value & S_IFMT);
    case Kind::kNumber:
      return Number(value & kLow);
  }
  return {};
}

}  // namespace

std::vector<std::string> DecodeArguments(int number, std::span<const uint64_t, 6> args) {
  std::vector<std::string> texts;
  for (const Row& row : kRows) {
    if (row.number != number) {
      continue;
    }
    for (size_t i = 0; i < row.count; ++i) {
      texts.push_back(Write(row.arguments.at(i), args[row.arguments.at(i).index]));
    }
  }
  return texts;
}

}  // namespace caisson::dispatcher
