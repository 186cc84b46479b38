// The builder beside caissond: whose child init is, what the builder holds, what becomes of its orders when
// it dies.
#include "orchestrator/builder_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/files.h"
#include "orchestrator/socket_count.h"
#include "session_support.h"

namespace caisson::orchestrator {
namespace {

constexpr uint64_t kDiskBytes = 64ULL << 20U;
constexpr uint64_t kInodes = 4096;

ino_t MountsOf(pid_t pid) {
  struct stat info {};
  EXPECT_EQ(stat(("/proc/" + std::to_string(pid) + "/ns/mnt").c_str(), &info), 0);
  return info.st_ino;
}

class BuilderProcessTest : public SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    auto loop = EventLoop::Create();
    ASSERT_TRUE(loop.ok());
    loop_ = *std::move(loop);
    auto builder =
        BuilderProcess::Start(*loop_, *spawner_, *cgroups_, ids_, {&plan_, &terminal_plan_}, [this] {
          dead_ = true;
          loop_->Stop();
        });
    ASSERT_TRUE(builder.ok()) << Message(builder.status());
    builder_ = *std::move(builder);
  }
  void TearDown() override {
    if (sandbox_.init.valid()) {
      static_cast<void>(sandbox_.init.Kill(SIGKILL));
      static_cast<void>(sandbox_.init.Reap());
    }
    while (sandbox_.cgroup != nullptr && absl::IsUnavailable(sandbox_.cgroup->TryRemove())) {
    }
    builder_.reset();
    SessionTest::TearDown();
  }

  void Order() {
    builder_->Build(plan_, kDiskBytes, kInodes, [this](Sandbox sandbox, const BuildFailure* failure) {
      sandbox_ = std::move(sandbox);
      if (failure != nullptr) {
        failure_ = *failure;
      }
      answered_ = true;
      if (after_built_ != nullptr) {
        after_built_();
      } else if (!kill_) {
        loop_->Stop();
      }
    });
  }
  bool InitHasEnded() const {
    pollfd polled{sandbox_.init.get(), POLLIN, 0};
    return poll(&polled, 1, 0) == 1;
  }

  bool dead_ = false;
  bool kill_ = false;
  bool answered_ = false;
  std::function<void()> after_built_;
  Sandbox sandbox_;
  BuildFailure failure_;
};

TEST_F(BuilderProcessTest, InitIsCaissondsChildAndOutlivesTheBuilder) {
  Order();
  ASSERT_TRUE(loop_->Run().ok());
  ASSERT_TRUE(failure_.status.ok()) << Message(failure_.status);
  ASSERT_EQ(kill(builder_->pid(), SIGKILL), 0);
  builder_.reset();  // Reaps it.
  EXPECT_FALSE(InitHasEnded());
  ASSERT_TRUE(sandbox_.init.Kill(SIGKILL).ok());
  EXPECT_TRUE(sandbox_.init.Reap().ok()) << "only a parent can reap";
  sandbox_.init.reset();
}

TEST_F(BuilderProcessTest, ItHoldsNoDescriptorButThoseItNeeds) {
  Order();
  ASSERT_TRUE(loop_->Run().ok());
  const auto target = [](const std::string& link) { return std::filesystem::read_symlink(link).string(); };
  const std::string own = "/proc/self/fd/";
  std::set<std::string> needed;
  for (int fd = 0; fd <= 2; ++fd) {
    needed.insert(target(own + std::to_string(fd)));
  }
  for (const int fd : cgroups_->descriptors()) {
    needed.insert(target(own + std::to_string(fd)));
  }
  needed.insert("mnt:[" + std::to_string(sandbox_.root_template) + "]");
  for (const int fd : {plan_.plan.get(), terminal_plan_.plan.get(), spawner_->descriptors()[0],
                       spawner_->descriptors()[1]}) {
    needed.insert(target(own + std::to_string(fd)));
  }
  size_t sockets = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(builder_->pid()) + "/fd")) {
    const std::string held = target(entry.path().string());
    if (held.starts_with("socket:")) {
      ++sockets;
    } else {
      EXPECT_TRUE(needed.contains(held)) << held;
    }
  }
  EXPECT_EQ(sockets, 1U);
}

// Each has a copy of the template, and nobody is in the template itself.
TEST_F(BuilderProcessTest, TwoSandboxesOfAPlanShareNoMountNamespace) {
  std::vector<Sandbox> sandboxes;
  after_built_ = [&] {
    ASSERT_TRUE(failure_.status.ok()) << Message(failure_.status);
    sandboxes.push_back(std::move(sandbox_));
    sandboxes.size() == 2 ? loop_->Stop() : Order();
  };
  Order();
  ASSERT_TRUE(loop_->Run().ok());
  ASSERT_EQ(sandboxes.size(), 2U);
  EXPECT_EQ(sandboxes[0].root_template, sandboxes[1].root_template);
  std::set<ino_t> seen{MountsOf(getpid()), sandboxes[0].root_template};
  for (Sandbox& sandbox : sandboxes) {
    pollfd ready{sandbox.control.get(), POLLIN, 0};
    ASSERT_EQ(poll(&ready, 1, 10'000), 1) << "init never said that it is ready";
    EXPECT_TRUE(seen.insert(MountsOf(*PidOf(sandbox.init.get()))).second);
    EXPECT_TRUE(sandbox.init.Kill(SIGKILL).ok());
    EXPECT_TRUE(sandbox.init.Reap().ok());
    while (absl::IsUnavailable(sandbox.cgroup->TryRemove())) {
    }
  }
}

TEST_F(BuilderProcessTest, ASandboxThatIsRemovedGivesItsIdsBack) {
  const size_t free = ids_.free();
  absl::Status removed = absl::UnavailableError("");
  const std::function<void()> remove = [&] {
    builder_->Remove(sandbox_, [&](const absl::Status& status) {
      removed = status;
      // The kernel empties a cgroup a moment after its last process.
      absl::IsUnavailable(status) ? remove() : loop_->Stop();
    });
  };
  after_built_ = [&] {
    EXPECT_EQ(ids_.free(), free - 1);
    EXPECT_TRUE(sandbox_.init.Kill(SIGKILL).ok());
    EXPECT_TRUE(sandbox_.init.Reap().ok());
    sandbox_.init.reset();
    remove();
  };
  Order();
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_TRUE(removed.ok()) << Message(removed);
  EXPECT_EQ(ids_.free(), free);
  EXPECT_EQ(sandbox_.cgroup, nullptr);
}

TEST_F(BuilderProcessTest, WhenItDiesItsOrdersFailAndCaissondIsTold) {
  kill_ = true;
  ASSERT_EQ(kill(builder_->pid(), SIGSTOP), 0);
  Order();
  ASSERT_EQ(kill(builder_->pid(), SIGKILL), 0);
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_TRUE(dead_);
  EXPECT_TRUE(answered_);
  EXPECT_FALSE(failure_.status.ok());
  EXPECT_FALSE(sandbox_.init.valid());
}

}  // namespace
}  // namespace caisson::orchestrator
