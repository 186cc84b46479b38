// The fixture of the tests that use real cgroups: one instance and one run, removed afterwards. Needs root.
#ifndef CAISSON_TESTS_UNIT_ORCHESTRATOR_CGROUP_SUPPORT_H_
#define CAISSON_TESTS_UNIT_ORCHESTRATOR_CGROUP_SUPPORT_H_

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "common/status.h"
#include "orchestrator/cgroup.h"
#include "privileged_support.h"

namespace caisson::orchestrator {

inline constexpr uint64_t kMiB = 1024 * 1024;
inline constexpr CgroupLimits kSmall{16 * kMiB, 16, 500};
inline constexpr CgroupLimits kLarge{64 * kMiB, 64, 2'000};
// Memory for sixteen forks of a sanitized test.
inline constexpr CgroupLimits kFewProcesses{512 * kMiB, 16, 500};

inline std::string Instance(const char* suffix) {
  return "caisson-test-" + std::to_string(getpid()) + suffix;
}

inline bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// Touches every page of `bytes` of fresh memory.
inline int Allocate(uint64_t bytes) {
  auto* memory = static_cast<volatile char*>(
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (memory == MAP_FAILED) {
    return 1;
  }
  for (uint64_t i = 0; i < bytes; i += 4096) {
    memory[i] = 1;
  }
  return 0;
}

class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    CAISSON_NEEDS_ROOT();
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    instance_ = Instance("");
    auto backend = CgroupBackend::Open(instance_);
    ASSERT_TRUE(backend.ok()) << Message(backend.status());
    backend_ = std::move(*backend);
    auto run = backend_->CreateRun("run-1");
    ASSERT_TRUE(run.ok()) << Message(run.status());
    run_ = std::move(*run);
  }

  void TearDown() override {
    if (run_ != nullptr) {
      EXPECT_TRUE(run_->KillAll().ok());
      ReapAll();
      RemoveRun();
    }
    if (backend_ != nullptr) {
      const absl::Status removed = backend_->RemoveInstance();
      EXPECT_TRUE(removed.ok()) << Message(removed);
      for (const std::string& directory : backend_->instance_directories()) {
        EXPECT_FALSE(Exists(directory)) << directory;
      }
    }
  }

  static void ReapAll() {
    while (waitpid(-1, nullptr, 0) > 0) {
    }
  }

  void RemoveRun() {
    absl::Status removed;
    EXPECT_TRUE(Eventually([&] {
      removed = run_->TryRemove();
      return !absl::IsUnavailable(removed);
    }));
    EXPECT_TRUE(removed.ok()) << Message(removed);
    run_.reset();
  }

  bool unified() const { return backend_->kind() == ipc::CgroupBackend::kUnified; }

  std::string instance_;
  std::unique_ptr<CgroupBackend> backend_;
  std::unique_ptr<RunCgroup> run_;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_TESTS_UNIT_ORCHESTRATOR_CGROUP_SUPPORT_H_
