// Real namespaces, as root; without root these are skipped, which CI turns into a failure.
#include "sandbox/user_namespace.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "common/files.h"

namespace caisson::sandbox {
namespace {

class UserNamespaceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      if (std::getenv("CAISSON_REQUIRE_PRIVILEGED") != nullptr) {
        FAIL() << "needs root";
      }
      GTEST_SKIP() << "needs root";
    }
  }
  std::vector<std::byte> stack_ = std::vector<std::byte>(64 * 1024);
};

TEST_F(UserNamespaceTest, IsNotTheHostsAndLeavesTheHostsLimitAlone) {
  const auto before = ReadFile("/proc/sys/user/max_user_namespaces");
  ASSERT_TRUE(before.ok());
  const auto made = PrepareUserNamespace({1'800'000'000, 1'800'000'001}, stack_);
  ASSERT_TRUE(made.ok()) << made.status();
  struct stat ours {};
  struct stat hosts {};
  ASSERT_EQ(fstat(made->get(), &ours), 0);
  ASSERT_EQ(stat("/proc/self/ns/user", &hosts), 0);
  EXPECT_NE(ours.st_ino, hosts.st_ino);
  EXPECT_EQ(*ReadFile("/proc/sys/user/max_user_namespaces"), *before);
}

TEST_F(UserNamespaceTest, HostIdZeroIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(PrepareUserNamespace({0, 1'800'000'001}, stack_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(PrepareUserNamespace({1'800'000'000, 0}, stack_).status()));
}

TEST_F(UserNamespaceTest, NoChildIsLeftBehind) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(PrepareUserNamespace({1'800'000'000, 1'800'000'001}, stack_).ok());
  }
  const auto children = ReadFile("/proc/self/task/" + std::to_string(getpid()) + "/children");
  ASSERT_TRUE(children.ok());
  EXPECT_EQ(*children, "");
}

}  // namespace
}  // namespace caisson::sandbox
