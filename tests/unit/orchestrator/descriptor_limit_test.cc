#include "orchestrator/descriptor_limit.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "common/status.h"
#include "privileged_support.h"

namespace caisson::orchestrator {
namespace {

TEST(DescriptorLimitTest, EachUserCounts) {
  const DescriptorUsers base{8, 4, 10, 16, 256};
  const uint64_t needed = DescriptorsNeeded(base);
  EXPECT_GT(DescriptorsNeeded({200, 4, 10, 16, 256}), 4'000U);
  EXPECT_EQ(DescriptorsNeeded({8, 5, 10, 16, 256}), needed);  // here the dispatcher needs more
  EXPECT_GT(DescriptorsNeeded({8, 1'000, 10, 16, 256}), 1'000U * 10);
  EXPECT_GT(DescriptorsNeeded({8, 4, 5'000, 16, 256}), needed);
  EXPECT_EQ(DescriptorsNeeded({8, 4, 10, 10'016, 256}), needed + 10'000);
  EXPECT_EQ(DescriptorsNeeded({8, 4, 10, 16, 1'000'000}), 1'000'000U);
}

rlimit Limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit;
}

// In a process of its own: limits and capabilities do not come back.
int InChild(const std::function<int()>& body) { return WEXITSTATUS(WaitFor(ForkInto({}, body))); }

TEST(DescriptorLimitTest, TheSoftLimitIsRaisedToTheHardOne) {
  EXPECT_EQ(InChild([] {
              rlimit limit = Limit();
              limit.rlim_cur = 64;
              const rlim_t hard = limit.rlim_max;
              return setrlimit(RLIMIT_NOFILE, &limit) == 0 && EnsureDescriptors(100, 1).ok() &&
                             Limit().rlim_cur == hard && Limit().rlim_max == hard
                         ? 0
                         : 1;
            }),
            0);
}

bool MayRaiseLimits() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  return syscall(SYS_capget, &header, held) == 0 && (held[0].effective >> CAP_SYS_RESOURCE & 1U) != 0;
}

TEST(DescriptorLimitTest, TheHardLimitIsRaisedWhereThePrivilegeIsHeld) {
  // Root of a container may lack CAP_SYS_RESOURCE.
  const int expected = MayRaiseLimits() ? 0 : 2;
  EXPECT_EQ(InChild([] {
              const rlimit low{256, 256};
              if (setrlimit(RLIMIT_NOFILE, &low) != 0) {
                return 1;
              }
              if (!EnsureDescriptors(1'000, 1).ok()) {
                return 2;
              }
              return Limit().rlim_cur == 1'000 && Limit().rlim_max == 1'000 ? 0 : 3;
            }),
            expected);
}

TEST(DescriptorLimitTest, WhatCannotBeHadIsRefusedWithTheMend) {
  const absl::Status status = EnsureDescriptors(uint64_t{1} << 40U, 7);
  ASSERT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(Message(status).find("max_runs 7 needs 1099511627776 descriptors"), std::string::npos)
      << Message(status);
  EXPECT_NE(Message(status).find("LimitNOFILE"), std::string::npos);
}

TEST(DescriptorLimitTest, WithoutThePrivilegeTheHardLimitStays) {
  CAISSON_NEEDS_ROOT();
  EXPECT_EQ(InChild([] {
              const rlimit low{256, 256};
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              __user_cap_data_struct none[2] = {};
              const bool ready =
                  setrlimit(RLIMIT_NOFILE, &low) == 0 && syscall(SYS_capset, &header, none) == 0;
              return ready && !EnsureDescriptors(1'000, 1).ok() && EnsureDescriptors(256, 1).ok() ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace caisson::orchestrator
