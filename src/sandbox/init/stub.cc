// Runs inside the sandbox as the payload's uid. Everything up to `go` deals with trusted input only; the
// bundle, read after it, is the client's and may be hostile. Between the filter and execve only calls that
// every profile allows.
#include "sandbox/init/stub.h"

#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/signal.h>

#include "sandbox/init/bundle_reader.h"
#include "sandbox/init/exec_image.h"
#include "sandbox/init/lock.h"
#include "sandbox/init/unpack.h"
#include "sandbox/layers.h"

namespace caisson::init {
namespace {

using sandbox::SetupStage;

// 0 or the errno of opening `path` for reading.
int32_t TryOpen(const char* path) {
  const long fd = Syscall(__NR_open, Address(path), O_RDONLY | O_CLOEXEC);
  if (IsError(fd)) {
    return static_cast<int32_t>(-fd);
  }
  Close(static_cast<int>(fd));
  return 0;
}

void JoinPayloadCgroups(const StubInheritance& inheritance, Progress& progress) {
  progress.Enter(SetupStage::kStubCgroup);
  for (uint32_t i = 0; i < inheritance.procs_fds; ++i) {
    progress.Must(Write(inheritance.first_procs_fd + static_cast<int>(i), "0", 1));
    progress.NextIndex();
  }
}

#ifdef CAISSON_WITHOUT_CAPABILITY_DROP
// A mutation build only: what a sandbox that forgot to drop would give to its payload, ambient so that exec
// keeps it.
void KeepCapabilities(Progress& progress) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  progress.Must(Syscall(__NR_capget, Address(&header), Address(data)));
  data[0].inheritable = data[0].permitted;
  data[1].inheritable = data[1].permitted;
  progress.Must(Syscall(__NR_capset, Address(&header), Address(data)));
  for (unsigned long capability = 0; capability < 64; ++capability) {
    Prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
  }
}
#else
void KeepCapabilities(Progress& /*progress*/) {}
#endif

// ORDER: ids while CAP_SETUID and CAP_SETGID are held; securebits while CAP_SETPCAP is (the bounding set is
// empty since init); then no capability at all; no_new_privs because Landlock and seccomp want it from an
// unprivileged process; Landlock before the filter, which does not know its calls.
StubReport LockDown(const PlanReader& plan, uint32_t uid, Progress& progress) {
  progress.Enter(SetupStage::kStubIds);
  TakeIds(uid, progress);
  if (layers::kCapabilityDrop) {
    progress.Enter(SetupStage::kStubSecurebits);
    LockSecurebits(progress);
    progress.Enter(SetupStage::kStubCapabilities);
    // Whoever may still gain privileges must have one to load a filter; exec takes it away.
    SetCapabilities(layers::kNoNewPrivs ? 0 : kCapSysAdmin, progress);
  } else {
    KeepCapabilities(progress);
  }
  if (layers::kNoNewPrivs) {
    progress.Enter(SetupStage::kStubNoNewPrivs);
    SetNoNewPrivs(progress);
  }
  StubReport report{};
  report.word = StubWord::kReady;
  report.listener = -1;
  if (layers::kLandlock) {
    progress.Enter(SetupStage::kStubLandlock);
    RestrictByLandlock(plan, LandlockRules::kPlan, progress);
  }
  report.landlock_probe_errno = TryOpen(sandbox::kLandlockProbePath);
  report.landlock_control_errno = TryOpen(sandbox::kLandlockControlPath);
  if (layers::kSyscallFilter) {
    progress.Enter(SetupStage::kStubFilter);
    report.listener = LoadPayloadFilter(plan, progress);
  }
  return report;
}

// Until here the descriptor table was init's as well. From here on nothing is open but 0, 1, 2, the bundle
// and the error pipe; the latter two close on exec.
void DetachDescriptors(int bundle, int error_pipe, Progress& progress) {
  progress.Enter(SetupStage::kStubDescriptors);
  if (!layers::kOwnDescriptors) {
    progress.Must(Syscall(__NR_close_range, ~0U, ~0U, CLOSE_RANGE_UNSHARE));  // Closes none.
    return;
  }
  const int low = bundle < error_pipe ? bundle : error_pipe;
  const int high = bundle < error_pipe ? error_pipe : bundle;
  progress.Must(Syscall(__NR_close_range, high + 1, ~0U, CLOSE_RANGE_UNSHARE));
  if (low > 3) {
    progress.Must(Syscall(__NR_close_range, 3, low - 1, 0));
  }
  if (high > low + 1) {
    progress.Must(Syscall(__NR_close_range, low + 1, high - 1, 0));
  }
}

void SetRlimit(uint32_t resource, uint64_t soft, uint64_t hard, Progress& progress) {
  struct {
    uint64_t soft;
    uint64_t hard;
  } limit{soft, hard};
  progress.Must(Syscall(__NR_prlimit64, 0, resource, Address(&limit), 0));
  progress.NextIndex();
}

void SetRlimits(PlanReader plan, const StubGo& go, Progress& progress) {
  progress.Enter(SetupStage::kStubRlimits);
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kRlimit) {
      const auto* limit = reinterpret_cast<const sandbox::PlanRlimit*>(item.data);
      SetRlimit(limit->resource, limit->soft, limit->hard, progress);
    }
  }
  SetRlimit(RLIMIT_FSIZE, go.file_size_bytes, go.file_size_bytes, progress);
  SetRlimit(RLIMIT_STACK, go.stack_bytes, go.stack_bytes, progress);
  SetRlimit(RLIMIT_NOFILE, go.open_files, go.open_files, progress);
}

BundleReader MapBundle(int bundle, Progress& progress) {
  progress.Enter(SetupStage::kStubBundle);
  const long size = progress.Must(Syscall(__NR_lseek, bundle, 0, 2 /* SEEK_END */));
  const long bytes = progress.Must(Syscall(__NR_mmap, 0, size, PROT_READ, MAP_PRIVATE, bundle, 0));
  const BundleReader reader(reinterpret_cast<const unsigned char*>(bytes), static_cast<uint64_t>(size));
  if (!reader.valid()) {
    progress.Fail(-EBADMSG);
  }
  return reader;
}

void UnblockSignals() {
  const uint64_t none = 0;
  Syscall(__NR_rt_sigprocmask, SIG_SETMASK, Address(&none), 0, sizeof none);
}

}  // namespace

void RunStub(const PlanReader& plan, const StubInheritance& inheritance) {
  Progress progress(Progress::Side::kStub, inheritance.error_pipe);
  JoinPayloadCgroups(inheritance, progress);
  progress.Enter(SetupStage::kStubSession);
  progress.Must(Syscall(__NR_setsid));
  if (inheritance.terminal) {
    progress.Must(Syscall(__NR_ioctl, 0, TIOCSCTTY, 0));
  }
  Syscall(__NR_umask, 022);
  progress.Enter(SetupStage::kStubWorkDir);
  progress.Must(Syscall(__NR_chdir, Address("/box")));
  const StubReport report = LockDown(plan, inheritance.uid, progress);
  progress.Enter(SetupStage::kStubReport);
  progress.Must(Write(inheritance.error_pipe, &report, sizeof report));

  StubGo go{};
  if (Read(inheritance.go_pipe, &go, sizeof go) != static_cast<long>(sizeof go)) {
    ExitGroup(0);  // init is gone, or was told to let nothing run.
  }
  DetachDescriptors(go.bundle, inheritance.error_pipe, progress);
  const StubReport detached{StubWord::kDetached, -1, 0, 0, {}, 0};
  progress.Must(Write(inheritance.error_pipe, &detached, sizeof detached));

  BundleReader bundle = MapBundle(go.bundle, progress);
  UnpackFiles(bundle, progress);
  ExecImage image;
  image.Build(plan, bundle, {go.memory_bytes, go.cpu_millis}, progress);
  SetRlimits(plan, go, progress);
  UnblockSignals();
  progress.Enter(SetupStage::kStubExec);
  const StubReport executing{StubWord::kExecuting, -1, 0, 0, {}, MonotonicNanos()};
  progress.Must(Write(inheritance.error_pipe, &executing, sizeof executing));
  if (image.is_clients_file()) {
    progress.NextIndex();
  }
  progress.Fail(Syscall(__NR_execve, Address(image.path()), Address(image.argv()), Address(image.envp())));
}

}  // namespace caisson::init
