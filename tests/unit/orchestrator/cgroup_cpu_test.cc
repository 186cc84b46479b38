// CPU time and shares of real cgroups, on whichever backend this host has. Needs root.
#include <fcntl.h>

#include <vector>

#include "cgroup_support.h"
#include "common/files.h"
#include "orchestrator/cgroup_files.h"

namespace caisson::orchestrator {
namespace {

TEST_F(CgroupTest, InitsShareOfTheCpuIsAReserveBesideTheLimit) {
  for (const uint64_t millis :
       {uint64_t{500}, uint64_t{2'000}, uint64_t{1}, uint64_t{1'000}}) {  // up and down
    CgroupLimits limits = kSmall;
    limits.cpu_millis = millis;
    const absl::Status set = run_->SetLimits(limits);
    ASSERT_TRUE(set.ok()) << millis << ": " << Message(set);
    uint64_t of_run = 0;
    for (const std::string& directory : backend_->instance_directories()) {
      if (const auto unified = ReadFile(directory + "/run-1/cpu.max"); unified.ok()) {
        of_run = ParseCpuMax(*unified).value();
      } else if (const auto quota = ReadFile(directory + "/run-1/cpu.cfs_quota_us"); quota.ok()) {
        of_run = CpuMillisFrom(*quota, ReadFile(directory + "/run-1/cpu.cfs_period_us").value()).value();
      }
    }
    EXPECT_EQ(of_run, millis + kInitReserveCpuMillis);
  }
}

TEST_F(CgroupTest, CpuTimeOfPayloadGrowsAndIsSplit) {
  EXPECT_EQ(run_->CpuMicros().value(), 0U);
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [] {
    for (;;) {
    }
    return 0;
  });
  EXPECT_TRUE(Eventually([&] { return run_->CpuMicros().value() > 50'000; }));
  ASSERT_TRUE(run_->KillPayload().ok());
  WaitFor(pid);
  const CgroupUsage usage = run_->ReadUsage().value();
  ASSERT_TRUE(usage.cpu_user_us && usage.cpu_system_us);
  EXPECT_GT(*usage.cpu_user_us + *usage.cpu_system_us, 40'000U);
}

TEST_F(CgroupTest, InitAndPayloadTogetherStayWithinTheShareAndItsReserve) {
  CgroupLimits limits = kFewProcesses;
  limits.cpu_millis = 200;
  ASSERT_TRUE(run_->SetLimits(limits).ok());
  const auto spin = [] {
    for (;;) {
    }
    return 0;
  };
  std::vector<int> init_procs = run_->init_procs_fds();
  absl::StatusOr<UniqueFd> leaf = OpenFileAt(run_->clone_into_fd(), "cgroup.procs", O_WRONLY);
  ASSERT_TRUE(leaf.ok());
  init_procs.push_back(leaf->get());
  const pid_t init = ForkInto(init_procs, spin);
  const pid_t payload = ForkInto(run_->payload_procs_fds(), spin);
  ASSERT_TRUE(Eventually([&] { return run_->CpuMicros().value() > 0; }));
  const int64_t start = MonotonicNanos();
  const uint64_t before = run_->CpuMicros().value();
  // 300 ms of CPU at three tenths of a CPU are a second; unbounded it would take init 300 ms.
  ASSERT_TRUE(Eventually([&] { return run_->CpuMicros().value() - before > 300'000; }));
  EXPECT_GT(MonotonicNanos() - start, 600 * kNanosPerMilli);
  const CgroupUsage usage = run_->ReadUsage().value();
  EXPECT_LT(*usage.cpu_user_us + *usage.cpu_system_us, run_->CpuMicros().value()) << "init's is not in it";
  ASSERT_TRUE(run_->KillAll().ok());
  WaitFor(init);
  WaitFor(payload);
}

TEST_F(CgroupTest, AQuotaSlowsThePayload) {
  CgroupLimits limits = kSmall;
  limits.cpu_millis = 100;
  ASSERT_TRUE(run_->SetLimits(limits).ok());
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [] {
    for (;;) {
    }
    return 0;
  });
  ASSERT_TRUE(Eventually([&] { return run_->CpuMicros().value() > 0; }));
  const int64_t start = MonotonicNanos();
  const uint64_t before = run_->CpuMicros().value();
  ASSERT_TRUE(Eventually([&] { return run_->CpuMicros().value() - before > 50'000; }));
  // 50 ms of CPU at a tenth of a CPU are 500 ms; half of that leaves room for the first period.
  EXPECT_GT(MonotonicNanos() - start, 250 * kNanosPerMilli);
  ASSERT_TRUE(run_->KillPayload().ok());
  WaitFor(pid);
}

}  // namespace
}  // namespace caisson::orchestrator
