// What memory is held as, read from real cgroups, on whichever backend this host has. Needs root.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup_support.h"
#include "common/files.h"
#include "orchestrator/cgroup_common.h"
#include "orchestrator/proc_text.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kAnonymous = 24 * kMiB;
constexpr uint64_t kFile = 12 * kMiB;

// Writes `bytes` into a file in memory, which the kernel counts as page cache.
int FillFile(uint64_t bytes) {
  const int fd = memfd_create("filled", 0);
  const std::string piece(kMiB, 'x');
  for (uint64_t done = 0; done < bytes; done += piece.size()) {
    if (write(fd, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) {
      return 1;
    }
  }
  return 0;
}

TEST_F(CgroupTest, MemoryIsToldApartWhileItIsHeld) {
  ASSERT_TRUE(run_->SetLimits(kFewProcesses).ok());
  Pipe ready;
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [&ready] {
    if (Allocate(kAnonymous) != 0 || FillFile(kFile) != 0) {
      return 1;
    }
    ready.Say();
    pause();
    return 0;
  });
  ready.CloseWrite();
  ASSERT_TRUE(ready.Hear());
  // The kernel gathers its counts of single CPUs some time later.
  const bool seen = Eventually([&] {
    const absl::StatusOr<MemoryParts> parts = run_->ReadMemoryParts();
    return parts.ok() && parts->anonymous_bytes >= kAnonymous - kMiB &&
           parts->anonymous_bytes < kAnonymous + 4 * kMiB && parts->file_bytes >= kFile - kMiB &&
           parts->file_bytes < kFile + 4 * kMiB;
  });
  const MemoryParts parts = run_->ReadMemoryParts().value();
  EXPECT_TRUE(seen) << parts.anonymous_bytes << " " << parts.file_bytes;
  ASSERT_TRUE(run_->KillPayload().ok());
  WaitFor(pid);
}

TEST(CountsSocketsTest, UnlessTheKernelWasBootedOtherwise) {
  EXPECT_TRUE(CountsSockets(""));
  EXPECT_TRUE(CountsSockets("quiet root=/dev/sda1\n"));
  EXPECT_TRUE(CountsSockets("cgroup.memory=nokmem quiet\n"));
  EXPECT_TRUE(CountsSockets("xcgroup.memory=nosocket\n"));
  EXPECT_FALSE(CountsSockets("cgroup.memory=nosocket"));
  EXPECT_FALSE(CountsSockets("quiet cgroup.memory=nosocket\n"));
  EXPECT_FALSE(CountsSockets("cgroup.memory=nokmem,nosocket quiet\n"));
  EXPECT_FALSE(CountsSockets("cgroup.memory=nokmem cgroup.memory=nosocket\n"));
}

std::string MemoryLimitOfSockets(const std::string& cgroups) {
  std::string_view rest = cgroups;
  while (!rest.empty()) {
    const std::string line(TakeLine(rest));
    const size_t path = line.find(":memory:");
    if (path != std::string::npos) {
      const std::string directory = "/sys/fs/cgroup/memory" + line.substr(path + sizeof ":memory:" - 1);
      const auto limit = ReadFile(directory + "/memory.kmem.tcp.limit_in_bytes");
      return limit.ok() ? *limit : Message(limit.status());
    }
  }
  return "v2";
}

// v1 counts them apart from the rest, and has no limit of its own; v2 counts them as memory.
TEST_F(CgroupTest, WhatSocketsHoldIsBounded) {
  ASSERT_TRUE(run_->SetLimits(kSmall).ok());
  const absl::Status bounded = run_->BoundSockets();
  ASSERT_TRUE(bounded.ok()) << Message(bounded);
  Pipe ready;
  const pid_t pid = ForkInto(run_->payload_procs_fds(), [&ready] {
    ready.Say();
    pause();
    return 0;
  });
  ready.CloseWrite();
  ASSERT_TRUE(ready.Hear());
  const std::string held = MemoryLimitOfSockets(ReadFile("/proc/" + std::to_string(pid) + "/cgroup").value());
  EXPECT_EQ(held,
            backend_->kind() == ipc::CgroupBackend::kUnified ? "v2" : std::to_string(kSocketBytes) + "\n");
  ASSERT_TRUE(run_->KillPayload().ok());
  WaitFor(pid);
}

TEST_F(CgroupTest, AnEmptyRunHoldsNothing) {
  EXPECT_EQ(run_->ReadMemoryParts().value().anonymous_bytes, 0U);
  EXPECT_EQ(run_->ReadMemoryParts().value().file_bytes, 0U);
}

}  // namespace
}  // namespace caisson::orchestrator
