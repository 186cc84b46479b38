// Runs in caissond as root. The child is the first process of the namespace and so has every capability in
// it; it runs a dozen lines of ours and nothing else, then is gone. A descriptor keeps the namespace.
#include "sandbox/user_namespace.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>

#include "common/files.h"
#include "common/pidfd.h"
#include "common/status.h"
#include "sandbox/child_call.h"
#include "sandbox/layers_outside.h"
#include "sandbox/plan.h"

namespace caisson::sandbox {
namespace {

constexpr char kMaxUserNamespaces[] = "/proc/sys/user/max_user_namespaces";

struct HolderArguments {
  int go_read;
  int go_write;
  bool forbid;
};

[[noreturn]] void Exit(long code) {
  for (;;) {
    RawSyscall(SYS_exit, code);
  }
}

// Returns 0 or an errno. The sysctl is the new namespace's own: the host's stays as it is.
long ForbidUserNamespaces() {
  const long path = reinterpret_cast<long>(&kMaxUserNamespaces[0]);
  const long fd = RawSyscall(SYS_open, path, O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return -fd;
  }
  const long written = RawSyscall(SYS_write, fd, reinterpret_cast<long>("0"), 1);
  if (written != 1) {
    return written < 0 ? -written : EIO;
  }
  std::array<char, 2> back{};
  const long got = RawSyscall(SYS_pread64, fd, reinterpret_cast<long>(back.data()), 2, 0);
  return got == 2 && back[0] == '0' && back[1] == '\n' ? 0 : EIO;
}

void Hold(void* argument) {
  const auto* arguments = static_cast<const HolderArguments*>(argument);
  RawSyscall(SYS_close, arguments->go_write);  // Or it would wait for ever for a parent that died.
  char go = 0;
  if (RawSyscall(SYS_read, arguments->go_read, reinterpret_cast<long>(&go), 1) != 1) {
    Exit(ECANCELED);
  }
  Exit(arguments->forbid ? ForbidUserNamespaces() : 0);
}

// "inside outside 1" lines: two single ids, and no inside-uid 0.
std::string MapText(const RunIds& ids) {
  return std::to_string(kInitUid) + " " + std::to_string(ids.init_host_id) + " 1\n" +
         std::to_string(kPayloadUid) + " " + std::to_string(ids.payload_host_id) + " 1\n";
}

absl::Status WriteMaps(pid_t pid, const RunIds& ids) {
  const std::string directory = "/proc/" + std::to_string(pid);
  RETURN_IF_ERROR(WriteFile(directory + "/uid_map", MapText(ids)));
  RETURN_IF_ERROR(WriteFile(directory + "/setgroups", "deny"));
  return WriteFile(directory + "/gid_map", MapText(ids));
}

}  // namespace

absl::StatusOr<UniqueFd> PrepareUserNamespace(const RunIds& ids, std::span<std::byte> stack) {
  if (ids.init_host_id == 0 || ids.payload_host_id == 0) {
    return absl::InvalidArgumentError("prepare user namespace: host id 0");
  }
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "pipe2");
  }
  UniqueFd go_read(ends[0]);
  UniqueFd go_write(ends[1]);
  HolderArguments arguments{go_read.get(), go_write.get(), LayersBuiltIn().user_namespace_ban};
  ASSIGN_OR_RETURN(
      StartedChild holder,
      StartChild({.flags = CLONE_NEWUSER, .stack = stack, .function = Hold, .argument = &arguments}));

  // Whatever happens, the child is let go or sees the end of the pipe, and is reaped.
  absl::StatusOr<UniqueFd> user_namespace = [&]() -> absl::StatusOr<UniqueFd> {
    RETURN_IF_ERROR(WriteMaps(holder.pid, ids));
    ASSIGN_OR_RETURN(UniqueFd fd, OpenFile("/proc/" + std::to_string(holder.pid) + "/ns/user", O_RDONLY));
    if (write(go_write.get(), "g", 1) != 1) {
      return ErrnoStatus(errno, "write user namespace pipe");
    }
    return fd;
  }();
  go_write.reset();
  ASSIGN_OR_RETURN(const siginfo_t ended, holder.process.Reap());
  RETURN_IF_ERROR(user_namespace.status());
  if (ended.si_code != CLD_EXITED || ended.si_status != 0) {
    return ErrnoStatus(ended.si_code == CLD_EXITED ? ended.si_status : EINTR,
                       std::string("write 0 to ") + kMaxUserNamespaces);
  }
  return user_namespace;
}

}  // namespace caisson::sandbox
