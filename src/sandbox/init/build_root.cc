// Runs as real root, before anything untrusted exists, as PID 1 of a run's namespaces or, for the template,
// of none. Input: caissond's sealed plan.
#include "sandbox/init/build_root.h"

#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include "sandbox/init/text.h"
#include "sandbox/layers.h"

namespace caisson::init {
namespace {

using sandbox::PlanRecord;
using sandbox::SetupStage;

constexpr unsigned long kDetach = 2;  // MNT_DETACH of umount2(2)

unsigned long KernelFlags(uint32_t flags) {
  unsigned long result = MS_NOSUID;
  result |= (flags & sandbox::kMountAllowDev) != 0 ? 0UL : MS_NODEV;
  result |= (flags & sandbox::kMountReadOnly) != 0 ? MS_RDONLY : 0UL;
  result |= (flags & sandbox::kMountNoExec) != 0 ? MS_NOEXEC : 0UL;
  return result;
}

// Paths of the plan are absolute in the new root, which is the working directory here, before the pivot and
// after it.
const char* Inside(const char* path) { return path[1] == '\0' ? "." : path + 1; }

const char* Data(const PlanItem& item) { return reinterpret_cast<const char*>(item.data); }

class RootBuilder {
 public:
  RootBuilder(const sandbox::SetupMessage& setup, Progress& progress) : setup_(setup), progress_(progress) {}

  void Apply(const PlanItem& item) {
    switch (item.type) {
      case PlanRecord::kStagingPath:
        return MountRoot(item);
      case PlanRecord::kMkdir:
        progress_.Must(Syscall(__NR_mkdir, Address(Inside(item.path)), item.mode));
        return;
      case PlanRecord::kSymlink:
        progress_.Must(Syscall(__NR_symlink, Address(Data(item)), Address(Inside(item.path))));
        return;
      case PlanRecord::kTextFile:
        return WriteTextFile(item);
      case PlanRecord::kBind:
        return Bind(Data(item), item);
      case PlanRecord::kTmpfs:
        progress_.Must(Mount("tmpfs", Inside(item.path), "tmpfs",
                             KernelFlags(item.flags & ~sandbox::kMountReadOnly), Data(item)));
        return;
      case PlanRecord::kDevice:
        return MakeDevice(item);
      case PlanRecord::kWork:
        return MountWork(item);
      case PlanRecord::kWorkDir:
        return BindWorkDir(item);
      case PlanRecord::kUnmount:
        progress_.Must(Syscall(__NR_umount2, Address(Inside(item.path)), kDetach));
        return;
      case PlanRecord::kProc:
        return MountProc(item);
      case PlanRecord::kTerminals:
        return MountTerminals(item);
      case PlanRecord::kSeal:
        return Seal(item);
      default:
        return;  // Not a mount record.
    }
  }

 private:
  void MountRoot(const PlanItem& item) {
    progress_.Enter(SetupStage::kMountRoot);
    progress_.Must(
        Mount("tmpfs", item.path, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=512,mode=0755"));
    progress_.Must(Syscall(__NR_chdir, Address(item.path)));
    progress_.Enter(SetupStage::kBuildRoot);
  }

  void WriteTextFile(const PlanItem& item) {
    const long fd = progress_.Must(
        Syscall(__NR_open, Address(Inside(item.path)), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, item.mode));
    if (item.data_bytes != 0 &&
        progress_.Must(Write(static_cast<int>(fd), item.data, item.data_bytes)) != item.data_bytes) {
      constexpr long kIoError = -5;
      progress_.Fail(kIoError);
    }
    Close(static_cast<int>(fd));
  }

  void Bind(const char* source, const PlanItem& item) {
    const char* target = Inside(item.path);
    progress_.Must(Mount(source, target, nullptr, MS_BIND, nullptr));
    // A bind ignores all other flags; only a remount of the new mount applies them (mount(2)).
    const uint32_t flags = layers::kReadOnlyRoot ? item.flags : item.flags & ~sandbox::kMountReadOnly;
    progress_.Must(Mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | KernelFlags(flags), nullptr));
  }

  void MakeDevice(const PlanItem& item) {
    sandbox::PlanDevice device{};
    __builtin_memcpy(&device, item.data, sizeof device);
    const long number = static_cast<long>(device.major << 8U | device.minor);  // Both below 256 (makedev(3)).
    progress_.Must(Syscall(__NR_mknod, Address(Inside(item.path)), S_IFCHR | item.mode, number));
  }

  void MountWork(const PlanItem& item) {
    progress_.Enter(SetupStage::kMountWork);
    constexpr uint64_t kOwnInodes = 4;  // the tmpfs's root and the three work directories
    FixedText<128> options;
    options.Append("mode=0755,size=").Append(setup_.disk_bytes);
    options.Append(",nr_inodes=").Append(setup_.inode_count + kOwnInodes);
    progress_.Must(Mount("tmpfs", Inside(item.path), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()));
    work_ = Inside(item.path);
  }

  void BindWorkDir(const PlanItem& item) {
    progress_.NextIndex();
    FixedText<64> directory;
    directory.Append(work_).Append("/").Append(Data(item));
    progress_.Must(Syscall(__NR_mkdir, Address(directory.c_str()), item.mode));
    progress_.Must(
        Syscall(__NR_chown, Address(directory.c_str()), setup_.payload_host_uid, setup_.payload_host_gid));
    Bind(directory.c_str(), item);
  }

  // An instance with room for exactly one terminal, the run's own: once init has made it, ptmx answers
  // ENOSPC.
  void MountTerminals(const PlanItem& item) {
    FixedText<128> options;
    options.Append("newinstance,ptmxmode=0666,max=1,mode=0620,uid=").Append(setup_.payload_host_uid);
    options.Append(",gid=").Append(setup_.payload_host_gid);
    progress_.Must(Mount("devpts", Inside(item.path), "devpts", KernelFlags(item.flags), options.c_str()));
  }

  void MountProc(const PlanItem& item) {
    progress_.Enter(SetupStage::kMountProc);
    const char* options = layers::kRestrictedProc ? "subset=pid,hidepid=2" : nullptr;
    progress_.Must(
        Mount("proc", Inside(item.path), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, options));
    progress_.Enter(SetupStage::kBuildRoot);
  }

  void Seal(const PlanItem& item) {
    progress_.Enter(SetupStage::kSealRoot);
    if (layers::kReadOnlyRoot) {
      progress_.Must(Mount(nullptr, Inside(item.path), nullptr,
                           MS_REMOUNT | MS_BIND | KernelFlags(item.flags), nullptr));
    }
    progress_.Enter(SetupStage::kBuildRoot);
  }

  const sandbox::SetupMessage& setup_;
  Progress& progress_;
  const char* work_ = "";
};

void PivotInto(Progress& progress) {
  progress.Enter(SetupStage::kPivot);
  // The working directory is the new root. Putting the old root on top of it needs no directory for it, and
  // the detach that follows leaves no way back (pivot_root(2), NOTES).
  progress.Must(Syscall(__NR_pivot_root, Address("."), Address(".")));
  progress.Must(Syscall(__NR_umount2, Address("."), kDetach));
  progress.Must(Syscall(__NR_chdir, Address("/")));
}

}  // namespace

void BuildTemplate(PlanReader plan, const sandbox::SetupMessage& setup, Progress& progress) {
  progress.Enter(SetupStage::kPrivateMounts);
  progress.Must(Mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  Syscall(__NR_umask, 0);
  RootBuilder builder(setup, progress);
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item) && item.type != PlanRecord::kOfTheRun) {
    builder.Apply(item);
    progress.NextIndex();
  }
  if (layers::kPivotedRoot) {
    PivotInto(progress);
  }
}

void EnterRoot(PlanReader plan, const sandbox::SetupMessage& setup, Progress& progress) {
  progress.Enter(SetupStage::kEnterTemplate);
  progress.Must(Syscall(__NR_setns, sandbox::kFdTemplate, CLONE_NEWNS));
  progress.NextIndex();
  // ORDER: before anything is mounted. Until this call the mounts are those of all runs of the plan.
  progress.Must(Syscall(__NR_unshare, CLONE_NEWNS));
  Close(sandbox::kFdTemplate);
  Syscall(__NR_umask, 0);
  progress.Enter(SetupStage::kBuildRoot);
  RootBuilder builder(setup, progress);
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item) && item.type != PlanRecord::kOfTheRun) {
    progress.NextIndex();
  }
  while (plan.Next(item)) {
    builder.Apply(item);
    progress.NextIndex();
  }
}

}  // namespace caisson::init
