// Runs in caissond as root, single-threaded. Between clone3 and execveat the child shares caissond's memory:
// ExecInit makes raw system calls only, writes to its own stack and to one variable, and caissond sleeps
// meanwhile (CLONE_VFORK).
#include "sandbox/spawner.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/files.h"
#include "common/memfd.h"
#include "common/status.h"
#include "sandbox/child_call.h"
#include "sandbox/init_image.h"
#include "sandbox/layers_outside.h"
#include "sandbox/plan.h"

namespace caisson::sandbox {
namespace {

constexpr size_t kMaxInherited = 32;

struct ExecArguments {
  int image = -1;
  int null_device = -1;
  std::array<int, kMaxInherited> fds{};  // become descriptors 3, 4, …
  size_t count = 0;
  volatile int error_number = 0;
};

long Address(const void* pointer) { return reinterpret_cast<long>(pointer); }

// 0 or an errno: descriptors 0-2 are /dev/null, 3… the request's, everything else closes on exec.
long ArrangeDescriptors(ExecArguments& arguments) {
  // First out of the way of the targets, then down to them.
  const long free_from = 3 + static_cast<long>(arguments.count);
  for (size_t i = 0; i < arguments.count; ++i) {
    const long moved = RawSyscall(SYS_fcntl, arguments.fds[i], F_DUPFD, free_from);
    if (moved < 0) {
      return -moved;
    }
    arguments.fds[i] = static_cast<int>(moved);
  }
  const long image = RawSyscall(SYS_fcntl, arguments.image, F_DUPFD, free_from);
  if (image < 0) {
    return -image;
  }
  arguments.image = static_cast<int>(image);
  for (long number = 0; number < 3; ++number) {
    if (RawSyscall(SYS_dup2, arguments.null_device, number) < 0) {
      return EBADF;
    }
  }
  for (size_t i = 0; i < arguments.count; ++i) {
    if (RawSyscall(SYS_dup2, arguments.fds[i], static_cast<long>(i) + 3) < 0) {
      return EBADF;
    }
  }
  return -RawSyscall(SYS_close_range, free_from, ~0U, CLOSE_RANGE_CLOEXEC);
}

void ExecInit(void* argument) {
  auto* arguments = static_cast<ExecArguments*>(argument);
  const uint64_t no_signals = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, Address(&no_signals), 0, sizeof no_signals);
  long error = ArrangeDescriptors(*arguments);
  if (error == 0) {
    const std::array<const char*, 2> argv = {"caisson-init", nullptr};
    const std::array<const char*, 1> envp = {nullptr};
    error = -RawSyscall(SYS_execveat, arguments->image, Address(""), Address(argv.data()),
                        Address(envp.data()), AT_EMPTY_PATH);
  }
  arguments->error_number = static_cast<int>(error);
  for (;;) {
    RawSyscall(SYS_exit, 1);
  }
}

uint64_t NamespaceFlags() {
  const OutsideLayers& layers = LayersBuiltIn();
  uint64_t flags = 0;
  flags |= layers.pid_namespace ? static_cast<uint64_t>(CLONE_NEWPID) : 0;
  flags |= layers.network_namespace ? static_cast<uint64_t>(CLONE_NEWNET) : 0;
  flags |= layers.ipc_namespace ? static_cast<uint64_t>(CLONE_NEWIPC) : 0;
  flags |= layers.uts_namespace ? static_cast<uint64_t>(CLONE_NEWUTS) : 0;
  return flags;
}

}  // namespace

absl::StatusOr<Spawner> Spawner::Create() {
  ASSIGN_OR_RETURN(UniqueFd image, MakeSealedMemfd("caisson-init", InitImage(), MemfdKind::kExecutable));
  ASSIGN_OR_RETURN(UniqueFd null_device, OpenFile("/dev/null", O_RDWR));
  return Spawner(std::move(image), std::move(null_device));
}

absl::Status Spawner::SpawnInit(const SpawnRequest& request, SetupStage& stage, StartedChild& init) {
  std::vector<int> fds{request.control, request.plan, request.user_namespace, request.root_template};
  fds.insert(fds.end(), request.init_procs_fds.begin(), request.init_procs_fds.end());
  fds.insert(fds.end(), request.payload_procs_fds.begin(), request.payload_procs_fds.end());
  // No CLONE_NEWUSER: an exec in a fresh, unmapped user namespace would leave init without any capability. It
  // enters the prepared one last. No CLONE_NEWNS: init takes a copy of the template, not of caissond's
  // mounts.
  return Spawn(
      {.flags = NamespaceFlags() | CLONE_PARENT | CLONE_INTO_CGROUP, .cgroup_fd = request.cgroup_directory},
      fds, stage, init);
}

absl::Status Spawner::SpawnTemplateBuilder(int control, int plan, SetupStage& stage, StartedChild& init) {
  return Spawn({.flags = CLONE_NEWNS}, std::array{control, plan}, stage, init);
}

absl::Status Spawner::Spawn(ChildCall call, std::span<const int> fds, SetupStage& stage, StartedChild& init) {
  stage = SetupStage::kClone;
  ExecArguments arguments;
  arguments.image = image_.get();
  arguments.null_device = null_device_.get();
  for (const int fd : fds) {
    CAISSON_CHECK(fd >= 0 && arguments.count < kMaxInherited);
    arguments.fds[arguments.count++] = fd;
  }
  call.flags |= CLONE_VFORK;
  call.stack = stack();
  call.function = ExecInit;
  call.argument = &arguments;
  ASSIGN_OR_RETURN(init, StartChild(call));
  if (arguments.error_number != 0) {
    stage = SetupStage::kExecInit;
    return ErrnoStatus(arguments.error_number, "exec caisson-init");
  }
  return absl::OkStatus();
}

}  // namespace caisson::sandbox
