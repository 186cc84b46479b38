// Run by caissond at load. Input: profiles from root-owned files.
#include "sandbox/plan_builder.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <set>
#include <utility>
#include <vector>

#include "common/files.h"
#include "common/memfd.h"
#include "common/status.h"
#include "sandbox/landlock_host.h"
#include "sandbox/plan_writer.h"

namespace caisson::sandbox {
namespace {

struct WorkDir {
  const char* path;
  const char* name;
  uint32_t mode;
};
// One writable tmpfs, seen at three places. /dev/shm is below /dev, so /dev must be mounted first.
constexpr WorkDir kWorkDirs[] = {{"/box", "box", 0755}, {"/tmp", "tmp", 01777}, {"/dev/shm", "shm", 01777}};

struct Device {
  const char* path;
  uint32_t minor;
};
constexpr char kDeviceDirectory[] = "/dev";
constexpr char kProcDirectory[] = "/proc";
// All of major 1 (memory devices); writable by everybody as on any host, /dev/random included.
constexpr Device kDevices[] = {
    {"/dev/null", 3}, {"/dev/zero", 5}, {"/dev/full", 7}, {"/dev/random", 8}, {"/dev/urandom", 9}};
// The controlling terminal, whichever it is; and the run's own by its name. There is no ptmx for the payload.
constexpr char kTerminalDevice[] = "/dev/tty";
constexpr PlanDevice kTerminalNumber{5, 0};
constexpr char kTerminalDirectory[] = "/dev/pts";
constexpr char kOwnTerminal[] = "/dev/pts/0";

struct Bind {
  const policy::BindMount* mount;
  std::string source;
  bool directory;
};

std::string TargetOf(const policy::BindMount& bind) {
  return bind.target.empty() ? bind.source : bind.target;
}

// Builds the records of one plan; the root's directories are made once each, parents first.
class RootPlan {
 public:
  explicit RootPlan(PlanWriter& writer) : writer_(writer) {}

  void MakeDirectory(const std::string& path) {
    if (path.empty() || path == "/" || !directories_.insert(path).second) {
      return;
    }
    MakeParent(path);
    writer_.Add(PlanRecord::kMkdir, {0, 0755, path});
  }
  void MakeParent(const std::string& path) { MakeDirectory(path.substr(0, path.rfind('/'))); }

  void MakeFile(const std::string& path, uint32_t mode, const std::string& content) {
    MakeParent(path);
    writer_.Add(PlanRecord::kTextFile, {0, mode, path},
                std::as_bytes(std::span(content.data(), content.size())));
  }
  void MakeSymlink(const std::string& path, const std::string& target) {
    MakeParent(path);
    writer_.AddText(PlanRecord::kSymlink, {0, 0, path}, target);
  }

 private:
  PlanWriter& writer_;
  std::set<std::string> directories_;
};

// The path of an open file as this mount namespace has it, without any link.
absl::StatusOr<std::string> PathOf(const UniqueFd& fd) {
  std::string path(PATH_MAX, '\0');
  const ssize_t length =
      readlink(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), path.data(), path.size());
  if (length <= 0 || static_cast<size_t>(length) == path.size()) {
    return ErrnoStatus(length < 0 ? errno : ENAMETOOLONG, "find the path of a bind's source");
  }
  path.resize(static_cast<size_t>(length));
  return path;
}

// init, which follows every link from the host's root, gets a path without one: an image never changes.
absl::StatusOr<Bind> FindInImage(const policy::BindMount& mount, int root) {
  ASSIGN_OR_RETURN(const UniqueFd opened, OpenInRoot(root, mount.source, O_PATH));
  ASSIGN_OR_RETURN(std::string source, PathOf(opened));
  struct stat info {};
  if (fstat(opened.get(), &info) != 0) {
    return ErrnoStatus(errno, "stat " + source);
  }
  if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError("neither a directory nor a regular file");
  }
  return Bind{&mount, std::move(source), S_ISDIR(info.st_mode)};
}

absl::StatusOr<Bind> FindOnHost(const policy::BindMount& mount) {
  struct stat info {};
  if (stat(mount.source.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "stat");
  }
  if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError("neither a directory nor a regular file");
  }
  return Bind{&mount, mount.source, S_ISDIR(info.st_mode)};
}

absl::StatusOr<std::vector<Bind>> ResolveBinds(const policy::StepSection& step, int root) {
  std::vector<Bind> binds;
  for (const policy::BindMount& mount : step.binds) {
    absl::StatusOr<Bind> bind = root == policy::kHostRoot ? FindOnHost(mount) : FindInImage(mount, root);
    if (bind.ok()) {
      binds.push_back(*std::move(bind));
    } else if (!absl::IsNotFound(bind.status()) || !mount.optional) {
      return absl::FailedPreconditionError("bind " + mount.source +
                                           (root == policy::kHostRoot ? ": " : " of the image: ") +
                                           Message(bind.status()));
    }
  }
  return binds;
}

void AddTerminal(PlanWriter& writer, RootPlan& root) {
  writer.AddStruct(PlanRecord::kDevice, {0, 0666, kTerminalDevice}, kTerminalNumber);
  root.MakeDirectory(kTerminalDirectory);
  writer.Add(PlanRecord::kTerminals, {kMountAllowDev | kMountNoExec, 0, kTerminalDirectory});
}

void AddDevices(PlanWriter& writer) {
  writer.AddText(PlanRecord::kTmpfs, {kMountAllowDev | kMountNoExec, 0, kDeviceDirectory},
                 "size=64k,nr_inodes=32,mode=0755");
  for (const Device& device : kDevices) {
    writer.AddStruct(PlanRecord::kDevice, {0, 0666, device.path}, PlanDevice{1, device.minor});
  }
  writer.AddText(PlanRecord::kSymlink, {0, 0, "/dev/fd"}, "/proc/self/fd");
  writer.AddText(PlanRecord::kSymlink, {0, 0, "/dev/stdin"}, "/proc/self/fd/0");
  writer.AddText(PlanRecord::kSymlink, {0, 0, "/dev/stdout"}, "/proc/self/fd/1");
  writer.AddText(PlanRecord::kSymlink, {0, 0, "/dev/stderr"}, "/proc/self/fd/2");
}

void AddWork(PlanWriter& writer, RootPlan& root, bool executable) {
  // The work tmpfs is mounted where /proc will be, so that no stray mount point stays behind.
  writer.Add(PlanRecord::kWork, {0, 0, kProcDirectory});
  for (const WorkDir& directory : kWorkDirs) {
    root.MakeDirectory(directory.path);
    writer.AddText(PlanRecord::kWorkDir, {executable ? 0U : kMountNoExec, directory.mode, directory.path},
                   directory.name);
  }
  writer.Add(PlanRecord::kUnmount, {0, 0, kProcDirectory});
  writer.Add(PlanRecord::kProc, {0, 0, kProcDirectory});
}

// What no run can change: the files of the profile's own and read-only binds, on a root that is sealed.
void AddTemplate(PlanWriter& writer, RootPlan& root, const policy::StepSection& step,
                 const std::vector<Bind>& binds) {
  root.MakeFile(kLandlockProbePath, 0444, "");
  for (const policy::TextFile& file : step.files) {
    root.MakeFile(file.path, 0444, file.content);
  }
  for (const policy::Symlink& symlink : step.symlinks) {
    root.MakeSymlink(symlink.path, symlink.target);
  }
  for (const Bind& bind : binds) {
    const std::string target = TargetOf(*bind.mount);
    if (bind.directory) {
      root.MakeDirectory(target);
    } else {
      root.MakeFile(target, 0444, "");
    }
    const uint32_t flags = kMountReadOnly | (bind.mount->executable ? 0U : kMountNoExec);
    writer.AddText(PlanRecord::kBind, {flags, 0, target}, bind.source);
  }
  // Where each run mounts its own.
  for (const char* path : {kDeviceDirectory, kProcDirectory, "/box", "/tmp"}) {
    root.MakeDirectory(path);
  }
  writer.Add(PlanRecord::kSeal, {kMountReadOnly, 0, "/"});
}

void AddRoot(PlanWriter& writer, const policy::StepSection& step, const std::vector<Bind>& binds,
             bool terminal) {
  RootPlan root(writer);
  AddTemplate(writer, root, step, binds);
  writer.Add(PlanRecord::kOfTheRun, {});
  AddDevices(writer);
  if (terminal) {
    AddTerminal(writer, root);
  }
  AddWork(writer, root, step.box_executable);
  writer.Add(PlanRecord::kSeal, {kMountReadOnly | kMountAllowDev | kMountNoExec, 0, kDeviceDirectory});
}

void AddLandlock(PlanWriter& writer, const policy::StepSection& step, const std::vector<Bind>& binds,
                 const PlanOptions& options) {
  const PlanLandlock rights = HandledRights(options.landlock_abi, step.network);
  writer.AddStruct(PlanRecord::kLandlock, {}, rights);
  const auto add = [&](const std::string& path, uint64_t access) {
    writer.AddStruct(PlanRecord::kLandlockRule, {0, 0, path}, access & rights.handled_access_fs);
  };
  using namespace landlock;  // NOLINT(google-build-using-namespace): eight names of one small namespace
  add("/", kReadDir);
  add("/etc", kReadDir | kReadFile);
  add("/proc", kReadDir | kReadFile);
  for (const Device& device : kDevices) {
    add(device.path, kReadFile | kWriteFile | kIoctlDev);
  }
  if (options.terminal) {
    add(kTerminalDevice, kReadFile | kWriteFile | kIoctlDev);
    add(kOwnTerminal, kReadFile | kWriteFile | kIoctlDev);
  }
  for (const Bind& bind : binds) {
    const uint64_t access =
        kReadFile | (bind.mount->executable ? kExecute : 0) | (bind.directory ? kReadDir : 0);
    add(TargetOf(*bind.mount), access);
  }
  const uint64_t work =
      rights.handled_access_fs & ~(kMakeChar | kMakeBlock | kIoctlDev | (step.box_executable ? 0 : kExecute));
  for (const WorkDir& directory : kWorkDirs) {
    add(directory.path, work);
  }
}

enum class HintPlace : uint8_t { kArguments, kVariables };

void AddHints(PlanWriter& writer, const policy::StepSection& step, HintPlace place) {
  for (const policy::LimitHint& hint : step.limit_hints) {
    const bool variable = !hint.variable.empty();
    if (variable != (place == HintPlace::kVariables)) {
      continue;
    }
    const uint32_t flags =
        (hint.unit == policy::HintUnit::kCpus ? kHintCpus : 0U) | (variable ? kHintVariable : 0U);
    writer.AddText(PlanRecord::kLimitHint,
                   {flags, hint.percent, (variable ? hint.variable + "=" : "") + hint.before}, hint.after);
  }
}

void AddRlimits(PlanWriter& writer) {
  const auto add = [&](__rlimit_resource resource, uint64_t value) {
    writer.AddStruct(PlanRecord::kRlimit, {}, PlanRlimit{static_cast<uint32_t>(resource), 0, value, value});
  };
  constexpr uint64_t kMemlockBytes = 65'536;
  constexpr uint64_t kPendingSignals = 1024;
  add(RLIMIT_CORE, 0);
  add(RLIMIT_MEMLOCK, kMemlockBytes);
  add(RLIMIT_MSGQUEUE, 0);
  add(RLIMIT_NICE, 0);
  add(RLIMIT_RTPRIO, 0);
  add(RLIMIT_SIGPENDING, kPendingSignals);
}

}  // namespace

absl::StatusOr<UniqueFd> BuildPlan(const policy::StepSection& step, const policy::CompiledFilter& filter,
                                   const PlanOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<Bind> binds, ResolveBinds(step, options.root));
  PlanWriter writer;
  writer.Add(PlanRecord::kStagingPath, {0, 0, options.staging_path});
  writer.Add(PlanRecord::kHostName, {0, 0, "caisson"});
  if (step.network == policy::NetworkMode::kLoopback) {
    writer.Add(PlanRecord::kLoopback, {});
  }
  AddRoot(writer, step, binds, options.terminal);
  for (size_t i = 0; i < step.command.size(); ++i) {
    writer.Add(PlanRecord::kArgument, {0, 0, step.command[i]});
    if (i == 0) {
      AddHints(writer, step, HintPlace::kArguments);
    }
  }
  for (const auto& [name, value] : step.environment) {
    std::string variable = name;
    variable += "=";
    variable += value;
    writer.Add(PlanRecord::kEnvironment, {0, 0, variable});
  }
  AddHints(writer, step, HintPlace::kVariables);
  writer.Add(PlanRecord::kFilter, {}, std::as_bytes(std::span(filter.program)));
  static_assert(sizeof filter.deny_answers == kDenyTableEntries);
  writer.AddStruct(PlanRecord::kDenyTable, {}, filter.deny_answers);
  if (!filter.observed.empty()) {
    // SAFETY: the same words in the same order, without padding.
    static_assert(sizeof(policy::ObservedCall) == sizeof(PlanObservedCall));
    writer.Add(PlanRecord::kObserved, {}, std::as_bytes(std::span(filter.observed)));
  }
  AddLandlock(writer, step, binds, options);
  AddRlimits(writer);
  writer.AddStruct(PlanRecord::kLimits, {},
                   PlanInitLimits{options.denials_per_second, options.notify_flags, filter.counted_fcntl});
  return MakeSealedMemfd("caisson-plan", writer.Finish(), MemfdKind::kData);
}

}  // namespace caisson::sandbox
