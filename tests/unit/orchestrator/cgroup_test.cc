// Cgroups for real, on whichever backend this host has. Needs root.
#include "orchestrator/cgroup.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <memory>
#include <string>
#include <thread>

#include "cgroup_support.h"
#include "common/files.h"
#include "common/status.h"
#include "orchestrator/cgroup_io.h"
#include "orchestrator/cgroup_places.h"
#include "orchestrator/cgroup_unified.h"

namespace caisson::orchestrator {
namespace {

TEST_F(CgroupTest, LimitsAreHeldAsWritten) {
  ASSERT_TRUE(run_->SetLimits(kSmall).ok());
  EXPECT_EQ(run_->ReadLimits().value(), kSmall);
}

TEST_F(CgroupTest, LimitsCanBeRaisedAndLowered) {
  for (const CgroupLimits& limits : {kSmall, kLarge, kSmall, kSmall, kLarge}) {
    const absl::Status set = run_->SetLimits(limits);
    ASSERT_TRUE(set.ok()) << Message(set);
    EXPECT_EQ(run_->ReadLimits().value(), limits);
  }
}

TEST_F(CgroupTest, MemoryIsRoundedDownToPages) {
  CgroupLimits limits = kSmall;
  limits.memory_bytes += 4'095;
  ASSERT_TRUE(run_->SetLimits(limits).ok());
  EXPECT_EQ(run_->ReadLimits().value().memory_bytes, kSmall.memory_bytes);
}

TEST_F(CgroupTest, SmallestCpuShareIsHeld) {
  CgroupLimits limits = kSmall;
  limits.cpu_millis = 1;
  const absl::Status set = run_->SetLimits(limits);
  ASSERT_TRUE(set.ok()) << Message(set);
  EXPECT_EQ(run_->ReadLimits().value().cpu_millis, 1U);
}

TEST_F(CgroupTest, AZeroOrAbsurdLimitIsRefused) {
  for (const CgroupLimits& limits :
       {CgroupLimits{0, 1, 1}, CgroupLimits{kMiB, 0, 1}, CgroupLimits{kMiB, 1, 0},
        CgroupLimits{UINT64_MAX, 1, 1}, CgroupLimits{kMiB, UINT64_MAX, 1}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(run_->SetLimits(limits)));
  }
}

TEST_F(CgroupTest, TheRunHoldsTheLimitPlusTheReserve) {
  ASSERT_TRUE(run_->SetLimits(kSmall).ok());
  bool seen = false;
  for (const std::string& directory : backend_->instance_directories()) {
    for (const char* file : {"/run-1/memory.limit_in_bytes", "/run-1/memory.max"}) {
      const auto text = ReadFile(directory + file);
      if (text.ok()) {
        EXPECT_EQ(*text, std::to_string(kSmall.memory_bytes + kInitReserveBytes) + "\n");
        seen = true;
      }
    }
  }
  EXPECT_TRUE(seen);
}

TEST_F(CgroupTest, ANameIsNeverUsedTwice) {
  EXPECT_TRUE(absl::IsAlreadyExists(backend_->CreateRun("run-1").status()));
  EXPECT_TRUE(run_->SetLimits(kSmall).ok()) << "the refused second one must not have removed the first";
}

TEST_F(CgroupTest, NamesThatAreNotOursAreRefused) {
  for (const std::string name : {"", "..", "a/b", "A", "x.scope"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(backend_->CreateRun(name).status())) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(CgroupBackend::Open(name).status())) << name;
  }
}

TEST_F(CgroupTest, AnInstanceWithRunsIsNotTakenOver) {
  const auto second = CgroupBackend::Open(instance_);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << Message(second.status());
  EXPECT_TRUE(run_->SetLimits(kSmall).ok());
}

TEST_F(CgroupTest, InitIsClonedIntoItsOwnLeafAndIsNotInPayload) {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<__u64>(run_->clone_into_fd());
  const Pipe ready;
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  ASSERT_GE(pid, 0) << errno;
  if (pid == 0) {
    for (const int fd : run_->init_procs_fds()) {
      if (write(fd, "0", 1) != 1) {
        _exit(1);
      }
    }
    ready.Say();
    pause();
    _exit(0);
  }
  ASSERT_TRUE(ready.Hear());
  EXPECT_TRUE(run_->PayloadPids().value().empty());
  const std::string groups = ReadFile("/proc/" + std::to_string(pid) + "/cgroup").value();
  EXPECT_NE(groups.find("0::"), std::string::npos);
  EXPECT_NE(groups.find(instance_ + (unified() ? "/run-1/init\n" : "/run-1\n"), groups.find("0::")),
            std::string::npos)
      << groups;
  ASSERT_TRUE(run_->KillPayload().ok());
  EXPECT_EQ(kill(pid, 0), 0) << "killing payload must not touch init";
  ASSERT_TRUE(run_->KillAll().ok());
  EXPECT_EQ(WTERMSIG(WaitFor(pid)), SIGKILL);
}

TEST_F(CgroupTest, InItsOwnCgroupNamespaceInitSeesNoPathAboveItself) {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<__u64>(run_->clone_into_fd());
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  ASSERT_GE(pid, 0) << errno;
  if (pid == 0) {
    for (const int fd : run_->init_procs_fds()) {
      if (write(fd, "0", 1) != 1) {
        _exit(1);
      }
    }
    if (unshare(CLONE_NEWCGROUP) != 0) {
      _exit(2);
    }
    _exit(ReadFile("/proc/self/cgroup").value().find(instance_) == std::string::npos ? 0 : 3);
  }
  EXPECT_EQ(WaitFor(pid), 0);
}

TEST_F(CgroupTest, PayloadJoinsEveryHierarchyAndIsListed) {
  const Pipe ready;
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [&] {
    ready.Say();
    pause();
    return 0;
  });
  ASSERT_TRUE(ready.Hear());
  EXPECT_EQ(run_->PayloadPids().value(), std::vector<pid_t>{pid});
  const std::string groups = ReadFile("/proc/" + std::to_string(pid) + "/cgroup").value();
  size_t ours = 0;
  for (size_t at = groups.find(instance_); at != std::string::npos; at = groups.find(instance_, at + 1)) {
    ++ours;
  }
  EXPECT_EQ(ours, unified() ? 1U : 4U) << groups;
}

TEST_F(CgroupTest, ClosedProcsDescriptorsAreGone) {
  ASSERT_FALSE(run_->payload_procs_fds().empty());
  const int fd = run_->payload_procs_fds()[0];
  run_->CloseProcsFds();
  EXPECT_TRUE(run_->payload_procs_fds().empty());
  EXPECT_TRUE(run_->init_procs_fds().empty());
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_F(CgroupTest, AllocationOverTheLimitIsAnOomKillThatIsCounted) {
  ASSERT_TRUE(run_->SetLimits(kSmall).ok());
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [] { return Allocate(64 * kMiB); });
  if (!unified()) {
    EXPECT_TRUE(BecomesReadable(run_->oom_event_fd()));
  }
  const int status = WaitFor(pid);
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  const CgroupUsage usage = run_->ReadUsage().value();
  EXPECT_GE(usage.oom_kills.value_or(0), 1U);
  ASSERT_TRUE(usage.memory_peak_bytes.has_value());
  EXPECT_GT(*usage.memory_peak_bytes, 15 * kMiB);
  EXPECT_LE(*usage.memory_peak_bytes, 16 * kMiB);
}

TEST_F(CgroupTest, AChildsOomKillIsSeenThoughTheMainProcessExitsZero) {
  ASSERT_TRUE(run_->SetLimits(kSmall).ok());
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [] {
    const pid_t child = fork();
    if (child == 0) {
      _exit(Allocate(64 * kMiB));
    }
    WaitFor(child);
    return 0;
  });
  const int status = WaitFor(pid);
  if (unified()) {
    EXPECT_TRUE(WIFSIGNALED(status)) << "memory.oom.group kills all of payload";
  } else {
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(BecomesReadable(run_->oom_event_fd()));
  }
  EXPECT_GE(run_->ReadUsage().value().oom_kills.value_or(0), 1U);
}

TEST_F(CgroupTest, NoOomIsReportedForARunWithinItsLimit) {
  ASSERT_TRUE(run_->SetLimits(kSmall).ok());
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [] { return Allocate(4 * kMiB); });
  EXPECT_EQ(WaitFor(pid), 0);
  EXPECT_EQ(run_->ReadUsage().value().oom_kills, 0U);
  if (!unified()) {
    pollfd event{run_->oom_event_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&event, 1, 0), 0);
  }
}

TEST_F(CgroupTest, ForkBombIsHeldCountedAndKilledAtOnce) {
  ASSERT_TRUE(run_->SetLimits(kFewProcesses).ok());
  Pipe alive;
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [&] {
    for (int refused = 0; refused < 20;) {
      const pid_t child = fork();
      if (child == 0) {
        continue;
      }
      refused += child < 0 ? 1 : 0;
    }
    alive.Say();
    pause();
    return 0;
  });
  ASSERT_TRUE(alive.Hear());
  ASSERT_TRUE(Eventually([&] { return run_->PayloadPids().value().size() == kFewProcesses.pids; }));
  const CgroupUsage usage = run_->ReadUsage().value();
  EXPECT_GE(usage.forks_denied.value_or(0), 20U);
  EXPECT_EQ(usage.pids_peak.value_or(kFewProcesses.pids), kFewProcesses.pids);

  ASSERT_TRUE(run_->KillPayload().ok());
  alive.CloseWrite();
  while (alive.Hear()) {
  }  // EOF: every process of the bomb is dead
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  ReapAll();
  EXPECT_TRUE(run_->PayloadPids().value().empty());
}

TEST_F(CgroupTest, AProcessWhoseFirstThreadHasExitedIsKilledToo) {
  ASSERT_TRUE(run_->SetLimits(kFewProcesses).ok());
  Pipe alive;
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [&] {
    std::thread([&] {
      const std::string own = "/proc/self/task/" + std::to_string(getpid()) + "/stat";
      while (ReadFile(own).value_or(") Z").find(") Z") == std::string::npos) {
        sched_yield();
      }
      alive.Say();
      pause();
    }).detach();
    syscall(SYS_exit, 0);
    return 0;
  });
  ASSERT_TRUE(alive.Hear());
  ASSERT_TRUE(run_->KillPayload().ok());
  int status = 0;
  EXPECT_TRUE(Eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  kill(pid, SIGKILL);  // should it have failed
}

TEST_F(CgroupTest, WithoutCgroupKillFreezingKillsAWholeTree) {
  ASSERT_TRUE(run_->SetLimits(kFewProcesses).ok());
  Pipe alive;
  ForkInto(run_->payload_procs_fds(), [&] {
    while (fork() >= 0) {
    }
    alive.Say();
    pause();
    return 0;
  });
  ASSERT_TRUE(alive.Hear());
  const std::string v2 = backend_->instance_directories()[0] + "/run-1";
  const UniqueFd directory = OpenFile(v2, O_RDONLY | O_DIRECTORY).value();
  const absl::Status killed = KillGroup(directory.get(), "payload", KillMethod::kFreeze);
  ASSERT_TRUE(killed.ok()) << Message(killed);
  alive.CloseWrite();
  while (alive.Hear()) {
  }
  EXPECT_TRUE(run_->PayloadPids().value().empty());
}

TEST_F(CgroupTest, ABusyRunIsNotRemoved) {
  const Pipe ready;
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [&] {
    ready.Say();
    pause();
    return 0;
  });
  ASSERT_TRUE(ready.Hear());
  EXPECT_TRUE(absl::IsUnavailable(run_->TryRemove()));
  EXPECT_EQ(run_->PayloadPids().value(), std::vector<pid_t>{pid});
}

TEST_F(CgroupTest, ARemovedRunMayBeRemovedAgain) {
  ASSERT_TRUE(Eventually([&] { return run_->TryRemove().ok(); }));
  EXPECT_TRUE(run_->TryRemove().ok());
  run_.reset();
}

TEST_F(CgroupTest, SwapIsBoundedOrThereIsNone) {
  const std::string swaps = ReadFile("/proc/swaps").value();
  const bool has_swap = swaps.find('\n') + 1 < swaps.size();
  EXPECT_TRUE(backend_->swap_is_bounded() || has_swap);
}

TEST_F(CgroupTest, WithoutSystemdNoScopeIsAskedFor) {
  if (Exists("/run/systemd/system") && unified()) {
    GTEST_SKIP() << "systemd runs this host, and its answer depends on who started the test";
  }
  EXPECT_FALSE(NeedsDelegatedScope());
}

TEST_F(CgroupTest, SweepKillsAndRemovesWhatAPredecessorLeft) {
  const Pipe ready;
  const auto body = [&] {
    if (fork() == 0) {
      pause();
    }
    ready.Say();
    pause();
    return 0;
  };
  const pid_t pid = ForkInto(run_->payload_procs_fds(), body);
  ASSERT_TRUE(ready.Hear());
  run_.reset();  // as a crash: nothing removed
  const absl::Status swept = SweepInstance(backend_->instance_directories(), instance_);
  EXPECT_TRUE(swept.ok()) << Message(swept);
  for (const std::string& directory : backend_->instance_directories()) {
    EXPECT_FALSE(Exists(directory)) << directory;
  }
  EXPECT_EQ(WTERMSIG(WaitFor(pid)), SIGKILL);
  ReapAll();
  EXPECT_TRUE(SweepInstance(backend_->instance_directories(), instance_).ok()) << "nothing left is fine";
}

TEST_F(CgroupTest, SweepRefusesWhatIsNotExactlyOurs) {
  const std::string ours = backend_->instance_directories()[0];
  const std::string place = ours.substr(0, ours.rfind('/'));
  for (const std::string& path :
       {place, ours + "/run-1", ours + "/", ours + "/../" + instance_, place + "/./" + instance_,
        place + "//" + instance_, ours.substr(1), std::string("/tmp/") + instance_,
        std::string("/") + instance_, std::string("/sys/fs/") + instance_, std::string(), std::string("/"),
        ours + "x"}) {
    const absl::Status swept = SweepInstance({path}, instance_);
    EXPECT_TRUE(absl::IsInvalidArgument(swept)) << path << ": " << Message(swept);
  }
  EXPECT_TRUE(absl::IsInvalidArgument(SweepInstance({place}, "..")));
  EXPECT_TRUE(absl::IsInvalidArgument(SweepInstance({ours, "/tmp/" + instance_}, instance_)));
  EXPECT_TRUE(Exists(ours)) << "one refused path means that none is touched";
}

// Where the v2 tree has no controllers, the unified backend must refuse, say how to mend it, and put
// everything back.
class UnifiedRefusalTest : public testing::Test {
 protected:
  void SetUp() override {
    CAISSON_NEEDS_ROOT();
    const auto places =
        FindCgroupPlaces(ReadFile("/proc/self/cgroup").value(), ReadFile("/proc/self/mountinfo").value());
    ASSERT_TRUE(places.ok());
    ASSERT_FALSE(places->unified.empty());
    own_ = places->unified;
    if (ReadFile(own_ + "/cgroup.controllers").value().find("memory") != std::string::npos) {
      GTEST_SKIP() << "this host's v2 tree has the memory controller: there is nothing to refuse";
    }
  }
  std::string own_;
};

TEST_F(UnifiedRefusalTest, MissingControllersAreRefusedWithTheMend) {
  const auto backend = UnifiedBackend::Open(own_, Instance("-v2"));
  EXPECT_TRUE(absl::IsFailedPrecondition(backend.status()));
  EXPECT_NE(Message(backend.status()).find("memory"), std::string::npos);
  EXPECT_NE(Message(backend.status()).find("systemd-run --scope -p Delegate=yes"), std::string::npos);
  EXPECT_FALSE(Exists(own_ + "/" + Instance("-v2")));
}

TEST_F(UnifiedRefusalTest, TheSupervisorsLeafIsLeftAgain) {
  const std::string place = own_ + "/" + Instance("-place");
  ASSERT_EQ(mkdir(place.c_str(), 0755), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    if (!WriteFile(place + "/cgroup.procs", "0").ok()) {
      _exit(1);
    }
    if (UnifiedBackend::Open(place, "caisson-x").ok()) {
      _exit(2);
    }
    if (Exists(place + "/caisson-x-supervisor") || Exists(place + "/caisson-x")) {
      _exit(3);
    }
    const std::string groups = ReadFile("/proc/self/cgroup").value();
    _exit(groups.find(Instance("").substr(0, 13)) != std::string::npos &&
                  groups.find("-supervisor") == std::string::npos
              ? 0
              : 4);
  }
  EXPECT_EQ(WaitFor(pid), 0);
  EXPECT_TRUE(Eventually([&] { return rmdir(place.c_str()) == 0; }));
}

// Pure v2 only: caissond started in a cgroup of its own moves into a leaf, works from there, and moves back.
TEST(UnifiedLeafTest, ASupervisorInACgroupOfItsOwnWorksFromALeaf) {
  CAISSON_NEEDS_ROOT();
  const auto places =
      FindCgroupPlaces(ReadFile("/proc/self/cgroup").value(), ReadFile("/proc/self/mountinfo").value());
  ASSERT_TRUE(places.ok());
  if (!places->memory.empty()) {
    GTEST_SKIP() << "a hybrid host has no leaf";
  }
  const std::string place = places->unified + "/" + Instance("-place");
  const std::string control = places->unified + "/cgroup.subtree_control";
  const std::string enabled = ReadFile(control).value();
  ASSERT_TRUE(WriteFile(control, "+memory +pids +cpu").ok());
  ASSERT_EQ(mkdir(place.c_str(), 0755), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    if (!WriteFile(place + "/cgroup.procs", "0").ok()) {
      _exit(1);
    }
    auto backend = CgroupBackend::Open("caisson-x");
    if (!backend.ok() || !Exists(place + "/caisson-x-supervisor")) {
      _exit(2);
    }
    auto run = (*backend)->CreateRun("run-1");
    if (!run.ok() || !(*run)->SetLimits(kSmall).ok() || (*run)->ReadLimits().value() != kSmall) {
      _exit(3);
    }
    if (!(*run)->TryRemove().ok() || !(*backend)->RemoveInstance().ok()) {
      _exit(4);
    }
    _exit(Exists(place + "/caisson-x-supervisor") || Exists(place + "/caisson-x") ? 5 : 0);
  }
  EXPECT_EQ(WaitFor(pid), 0);
  EXPECT_TRUE(Eventually([&] { return rmdir(place.c_str()) == 0; }));
  if (enabled == "\n" || enabled.empty()) {
    EXPECT_TRUE(WriteFile(control, "-memory -pids -cpu").ok());
  }
}

TEST(UnifiedLeafTest, AnotherProcessInTheOwnCgroupIsARefusalWithTheMend) {
  CAISSON_NEEDS_ROOT();
  const auto places =
      FindCgroupPlaces(ReadFile("/proc/self/cgroup").value(), ReadFile("/proc/self/mountinfo").value());
  ASSERT_TRUE(places.ok());
  if (!places->memory.empty()) {
    GTEST_SKIP() << "a hybrid host has no such rule";
  }
  const std::string place = places->unified + "/" + Instance("-place");
  const std::string control = places->unified + "/cgroup.subtree_control";
  ASSERT_TRUE(WriteFile(control, "+memory +pids +cpu").ok());
  ASSERT_EQ(mkdir(place.c_str(), 0755), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    if (!WriteFile(place + "/cgroup.procs", "0").ok()) {
      _exit(1);
    }
    const pid_t neighbour = fork();
    if (neighbour == 0) {
      pause();
    }
    const absl::Status opened = CgroupBackend::Open("caisson-x").status();
    kill(neighbour, SIGKILL);
    WaitFor(neighbour);
    if (!absl::IsFailedPrecondition(opened) || Message(opened).find("systemd-run") == std::string::npos) {
      _exit(2);
    }
    _exit(Exists(place + "/caisson-x-supervisor") ? 3 : 0);
  }
  EXPECT_EQ(WaitFor(pid), 0);
  EXPECT_TRUE(Eventually([&] { return rmdir(place.c_str()) == 0; }));
  static_cast<void>(WriteFile(control, "-memory -pids -cpu"));
}

}  // namespace
}  // namespace caisson::orchestrator
