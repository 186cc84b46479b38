// init's own filter, against a reading of its promise that is written here a second time on purpose.
#include "sandbox/init/init_filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstdint>
#include <set>
#include <vector>

#include "common/status.h"
#include "policy/bpf_evaluator.h"

namespace caisson::init {
namespace {

constexpr int kNumbers = 601;
constexpr uint32_t kAarch64 = AUDIT_ARCH_AARCH64;

uint32_t Answer(int number, uint64_t protection = 0, uint32_t arch = AUDIT_ARCH_X86_64) {
  const InitFilter filter = MakeInitFilter();
  seccomp_data data{};
  data.nr = number;
  data.arch = arch;
  data.args[2] = protection;
  const std::vector<sock_filter> program(std::begin(filter.code), std::end(filter.code));
  const absl::StatusOr<uint32_t> answer = policy::EvaluateFilter(program, data);
  EXPECT_TRUE(answer.ok()) << Message(answer.status());
  return answer.value_or(0);
}

TEST(InitFilterTest, SixteenCallsAndAReadingMmapAreAllowedAndEverythingElseKills) {
  const std::set<int> allowed = {
      SYS_read,       SYS_write,         SYS_close,           SYS_ppoll,   SYS_ioctl,
      SYS_wait4,      SYS_kill,          SYS_recvmsg,         SYS_sendmsg, SYS_getrusage,
      SYS_exit_group, SYS_clock_gettime, SYS_restart_syscall, SYS_openat2, SYS_statx,
      SYS_getdents64};
  EXPECT_EQ(allowed.size(), 16U);
  for (int number = 0; number < kNumbers; ++number) {
    const bool expected = allowed.contains(number);
    EXPECT_EQ(Answer(number, PROT_READ | PROT_WRITE),
              expected ? SECCOMP_RET_ALLOW : uint32_t{SECCOMP_RET_KILL_PROCESS})
        << number;
  }
}

TEST(InitFilterTest, WhatIsMappedCanBeReadOnly) {
  EXPECT_EQ(Answer(SYS_mmap, PROT_READ), SECCOMP_RET_ALLOW);
  for (uint64_t protection = 0; protection < 16; ++protection) {
    EXPECT_EQ(Answer(SYS_mmap, protection),
              protection == PROT_READ ? SECCOMP_RET_ALLOW : uint32_t{SECCOMP_RET_KILL_PROCESS})
        << protection;
  }
}

TEST(InitFilterTest, OtherArchitecturesKill) {
  for (int number = 0; number < kNumbers; ++number) {
    EXPECT_EQ(Answer(number, PROT_READ, AUDIT_ARCH_I386), uint32_t{SECCOMP_RET_KILL_PROCESS}) << number;
    EXPECT_EQ(Answer(number, PROT_READ, kAarch64), uint32_t{SECCOMP_RET_KILL_PROCESS}) << number;
    EXPECT_EQ(Answer(number | 0x40000000, PROT_READ), uint32_t{SECCOMP_RET_KILL_PROCESS}) << number;
  }
}

}  // namespace
}  // namespace caisson::init
