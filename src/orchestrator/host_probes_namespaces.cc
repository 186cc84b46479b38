// Namespaces, the run's user namespace, and mounts. Each probe works in children with namespaces of their
// own.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>

#include "common/files.h"
#include "common/status.h"
#include "ipc/messages.h"
#include "orchestrator/host_probes.h"
#include "orchestrator/isolation_reader.h"
#include "orchestrator/mount_info.h"
#include "sandbox/plan.h"
#include "sandbox/user_namespace.h"

namespace caisson::orchestrator {
namespace {

// A directory that every host has; in the child's own mount namespace anything may be mounted on it.
constexpr char kScratch[] = "/tmp";
constexpr size_t kStackBytes = size_t{64} << 10U;
constexpr uint64_t kTmpfsBytes = uint64_t{64} << 10U;  // size=64k below

struct Kind {
  const char* name;
  int flag;
  const char* link;
  const char* sysctl;
};

constexpr std::array<Kind, 7> kKinds{{{"user", CLONE_NEWUSER, "user", "user.max_user_namespaces"},
                                      {"pid", CLONE_NEWPID, "pid_for_children", "user.max_pid_namespaces"},
                                      {"mount", CLONE_NEWNS, "mnt", "user.max_mnt_namespaces"},
                                      {"network", CLONE_NEWNET, "net", "user.max_net_namespaces"},
                                      {"ipc", CLONE_NEWIPC, "ipc", "user.max_ipc_namespaces"},
                                      {"uts", CLONE_NEWUTS, "uts", "user.max_uts_namespaces"},
                                      {"cgroup", CLONE_NEWCGROUP, "cgroup", "user.max_cgroup_namespaces"}}};

absl::Status Must(long result, const char* what) {
  return result < 0 ? ErrnoStatus(errno, what) : absl::OkStatus();
}

absl::Status Expect(bool condition, const char* otherwise) {
  return condition ? absl::OkStatus() : absl::FailedPreconditionError(otherwise);
}

absl::StatusOr<std::string> NamespaceId(const char* link) {
  std::array<char, 64> target{};
  const ssize_t length =
      readlink((std::string("/proc/self/ns/") + link).c_str(), target.data(), target.size());
  if (length < 0) {
    return ErrnoStatus(errno, std::string("readlink /proc/self/ns/") + link);
  }
  return std::string(target.data(), static_cast<size_t>(length));
}

absl::Status UseNamespace(const Kind& kind) {
  // A new pid namespace gets its identity with its first process; asking for its link before that is ENOENT.
  if (kind.flag == CLONE_NEWPID) {
    RETURN_IF_ERROR(Must(unshare(CLONE_NEWPID), "unshare pid namespace"));
    return InChild([] { return Expect(getpid() == 1, "the first process of a new pid namespace is not 1"); });
  }
  ASSIGN_OR_RETURN(const std::string before, NamespaceId(kind.link));
  RETURN_IF_ERROR(Must(unshare(kind.flag), "unshare"));
  ASSIGN_OR_RETURN(const std::string after, NamespaceId(kind.link));
  return Expect(before != after, "unshare gave no new namespace");
}

absl::StatusOr<UniqueFd> MakeUserNamespace(uint32_t id_first) {
  auto stack = std::make_unique<std::array<std::byte, kStackBytes>>();
  return sandbox::PrepareUserNamespace({id_first, id_first + 1}, std::span(*stack));
}

absl::Status EnterWithPayloadIds(uint32_t id_first) {
  ASSIGN_OR_RETURN(const UniqueFd space, MakeUserNamespace(id_first));
  RETURN_IF_ERROR(Must(setgroups(0, nullptr), "setgroups"));
  RETURN_IF_ERROR(Must(setns(space.get(), CLONE_NEWUSER), "setns"));
  RETURN_IF_ERROR(
      Must(setresgid(sandbox::kPayloadUid, sandbox::kPayloadUid, sandbox::kPayloadUid), "setresgid"));
  return Must(setresuid(sandbox::kPayloadUid, sandbox::kPayloadUid, sandbox::kPayloadUid), "setresuid");
}

absl::Status TakePayloadIds(uint32_t id_first) {
  RETURN_IF_ERROR(EnterWithPayloadIds(id_first));
  // Read from inside, the second column is the host's id, since the parent namespace is the host's.
  ASSIGN_OR_RETURN(const std::string map, ReadFile("/proc/self/uid_map"));
  ipc::IsolationReport report{};
  RETURN_IF_ERROR(ParseUidMap(map, id_first + 1, report));
  return Expect(report.uid_map_inside == sandbox::kPayloadUid,
                "the kernel holds another id map than was written");
}

// With ids that exist there, so that nothing but the ban stands in the way.
absl::Status NestUserNamespace(uint32_t id_first) {
  RETURN_IF_ERROR(EnterWithPayloadIds(id_first));
  if (unshare(CLONE_NEWUSER) == 0) {
    return absl::FailedPreconditionError("a user namespace could be made though max_user_namespaces is 0");
  }
  return errno == ENOSPC ? absl::OkStatus() : ErrnoStatus(errno, "unshare in a namespace that forbids it");
}

absl::Status OwnMounts() {
  RETURN_IF_ERROR(Must(unshare(CLONE_NEWNS), "unshare mount namespace"));
  return Must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make all mounts private");
}

absl::Status FillTmpfs() {
  RETURN_IF_ERROR(OwnMounts());
  constexpr int kInodes = 16;
  RETURN_IF_ERROR(
      Must(mount("tmpfs", kScratch, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,nr_inodes=16"), "mount tmpfs"));
  int made = 0;
  while (made <= kInodes && mkdir((kScratch + ("/" + std::to_string(made))).c_str(), 0700) == 0) {
    ++made;
  }
  RETURN_IF_ERROR(Expect(made < kInodes && errno == ENOSPC, "nr_inodes does not bound the number of files"));
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenFile(kScratch, O_RDONLY | O_DIRECTORY));
  struct statfs info {};
  RETURN_IF_ERROR(Must(fstatfs(fd.get(), &info), "statfs"));
  return Expect(static_cast<uint64_t>(info.f_blocks) * static_cast<uint64_t>(info.f_bsize) == kTmpfsBytes,
                "size does not bound the bytes");
}

absl::Status PivotIntoReadOnlyRoot() {
  RETURN_IF_ERROR(OwnMounts());
  RETURN_IF_ERROR(Must(mount("tmpfs", kScratch, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"), "mount tmpfs"));
  RETURN_IF_ERROR(Must(chdir(kScratch), "chdir"));
  RETURN_IF_ERROR(Must(mkdir("etc", 0755), "mkdir"));
  RETURN_IF_ERROR(Must(mount("/etc", "etc", nullptr, MS_BIND, nullptr), "bind /etc"));
  constexpr unsigned long kFlags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  RETURN_IF_ERROR(Must(mount(nullptr, "etc", nullptr, kFlags, nullptr), "remount /etc read-only"));
  RETURN_IF_ERROR(Must(syscall(SYS_pivot_root, ".", "."), "pivot_root"));
  RETURN_IF_ERROR(Must(umount2(".", MNT_DETACH), "detach the old root"));
  RETURN_IF_ERROR(Must(chdir("/"), "chdir /"));
  RETURN_IF_ERROR(Expect(access("/etc/passwd", R_OK) == 0, "a bind mount cannot be read after pivot_root"));
  RETURN_IF_ERROR(
      Expect(access("/proc", F_OK) != 0 && errno == ENOENT, "the old root is visible after pivot_root"));
  return Expect(access("/etc", W_OK) != 0 && errno == EROFS, "a read-only bind mount can be written");
}

absl::Status RestrictProc() {
  RETURN_IF_ERROR(Must(unshare(CLONE_NEWPID), "unshare pid namespace"));
  return InChild([]() -> absl::Status {
    RETURN_IF_ERROR(OwnMounts());
    constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
    const std::string scratch = kScratch;
    RETURN_IF_ERROR(Must(mount("proc", kScratch, "proc", kFlags, "subset=pid,hidepid=2"), "mount proc"));
    RETURN_IF_ERROR(
        Expect(access((scratch + "/1/status").c_str(), R_OK) == 0, "/proc does not show its own process"));
    RETURN_IF_ERROR(Expect(access((scratch + "/meminfo").c_str(), F_OK) != 0, "subset=pid hides nothing"));
    ASSIGN_OR_RETURN(const std::string mountinfo, ReadFile("/proc/self/mountinfo"));
    ASSIGN_OR_RETURN(const std::vector<MountEntry> mounts, ParseMountEntries(mountinfo));
    for (const MountEntry& mount : mounts) {
      if (mount.type == "proc" && mount.mount_point == scratch) {
        return Expect(HasOption(mount.super_options, "hidepid=invisible") ||
                          HasOption(mount.super_options, "hidepid=2"),
                      "hidepid=2 is not in force");
      }
    }
    return absl::FailedPreconditionError("the mount of proc does not show up");
  });
}

// What a run with a terminal gets: an instance of its own, in which the second one is refused.
absl::Status OneTerminal() {
  RETURN_IF_ERROR(OwnMounts());
  RETURN_IF_ERROR(Must(
      mount("devpts", kScratch, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,max=1"),
      "mount devpts"));
  const std::string ptmx = std::string(kScratch) + "/ptmx";
  ASSIGN_OR_RETURN(const UniqueFd master, OpenFile(ptmx, O_RDWR | O_NOCTTY));
  const int unlocked = 0;
  RETURN_IF_ERROR(Must(ioctl(master.get(), TIOCSPTLCK, &unlocked), "unlock the terminal"));
  const UniqueFd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  RETURN_IF_ERROR(Must(slave.get(), "open the terminal"));
  const int second = open(ptmx.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  return Expect(second < 0 && errno == ENOSPC, "max=1 does not bound the number of terminals");
}

// Missing on kernels whose AppArmor knows no such restriction.
std::string AppArmorRestriction() {
  const absl::StatusOr<std::string> text = ReadFile("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  return text.ok() ? *text : std::string();
}

}  // namespace

std::string UserNamespaceMend(std::string_view restriction, const std::string& otherwise) {
  if (restriction.empty() || restriction.front() == '0') {
    return otherwise;
  }
  return "AppArmor restricts user namespaces here: install -m 644 share/caisson/apparmor/caissond (below the "
         "prefix; deploy/apparmor/caissond in the sources) /etc/apparmor.d/caissond, then apparmor_parser "
         "--replace /etc/apparmor.d/caissond; or: " +
         otherwise;
}

std::vector<CheckResult> ProbeNamespaces() {
  std::vector<CheckResult> results;
  results.reserve(kKinds.size());
  for (const Kind& kind : kKinds) {
    std::string mend = std::string("raise it: sysctl -w ") + kind.sysctl +
                       "=65536; in a container, run it privileged or give it CAP_SYS_ADMIN";
    if (kind.flag == CLONE_NEWUSER) {
      mend = UserNamespaceMend(AppArmorRestriction(), mend);
    }
    results.push_back(FromStatus(std::string("namespace_") + kind.name,
                                 InChild([&] { return UseNamespace(kind); }), "a new one was made", mend));
  }
  return results;
}

std::vector<CheckResult> ProbeUserNamespace(uint32_t id_first) {
  std::vector<CheckResult> results{FromStatus(
      "user_namespace_ids", InChild([=] { return TakePayloadIds(id_first); }),
      "ids of the range were mapped and taken",
      UserNamespaceMend(AppArmorRestriction(),
                        "caissond needs CAP_SETUID and CAP_SETGID in the host's user namespace, and an "
                        "id_range that exists there"))};
  results.push_back(FromStatus("user_namespace_ban", InChild([=] { return NestUserNamespace(id_first); }),
                               "user.max_user_namespaces = 0 holds inside a new user namespace",
                               "mount /proc/sys writable where caissond runs"));
  return results;
}

std::vector<CheckResult> ProbeMounts() {
  const std::string mend =
      "in a container, run it privileged or give it CAP_SYS_ADMIN and lift its AppArmor profile";
  return {
      FromStatus("mount_tmpfs", InChild(FillTmpfs), "size and nr_inodes bound a tmpfs", mend),
      FromStatus("mount_pivot", InChild(PivotIntoReadOnlyRoot), "a root of read-only binds was pivoted into",
                 mend + "; a root that is still the initial ramfs cannot be pivoted: switch_root first"),
      FromStatus("mount_proc", InChild(RestrictProc), "subset=pid,hidepid=2 is in force",
                 "needs Linux 5.8 or newer; " + mend),
      FromStatus("mount_devpts", InChild(OneTerminal), "a terminal was made, and no second one",
                 "let the kernel have more of them: sysctl -w kernel.pty.max=4096; " + mend)};
}

}  // namespace caisson::orchestrator
