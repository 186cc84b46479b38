#include "common/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace caisson {
namespace {

static_assert(std::is_nothrow_move_constructible_v<UniqueFd> && std::is_nothrow_move_assignable_v<UniqueFd>);
static_assert(!std::is_copy_constructible_v<UniqueFd> && sizeof(UniqueFd) == sizeof(int));

int OpenNull() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0);
  return fd;
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFdTest, TheDestructorCloses) {
  int number = -1;
  {
    const UniqueFd fd(OpenNull());
    number = fd.get();
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(UniqueFdTest, AMoveLeavesOneOwner) {
  UniqueFd first(OpenNull());
  const int number = first.get();
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): what a move leaves is the point
  EXPECT_EQ(second.get(), number);
  UniqueFd third(OpenNull());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(IsOpen(replaced));
  EXPECT_EQ(third.get(), number);
}

TEST(UniqueFdTest, AssigningToItselfKeepsTheDescriptor) {
  UniqueFd fd(OpenNull());
  UniqueFd& alias = fd;
  fd = std::move(alias);
  EXPECT_TRUE(fd.valid() && IsOpen(fd.get()));
}

TEST(UniqueFdTest, ReleaseGivesTheDescriptorAway) {
  UniqueFd fd(OpenNull());
  const int number = fd.release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(IsOpen(number));
  EXPECT_EQ(close(number), 0);
}

TEST(UniqueFdTest, ClosingPreservesErrno) {
  UniqueFd fd(OpenNull());
  errno = E2BIG;
  fd.reset();
  EXPECT_EQ(errno, E2BIG);
}

TEST(UniqueFdDeathTest, ClosingAStrangersDescriptorAborts) {
  EXPECT_DEATH(
      {
        UniqueFd fd(OpenNull());
        close(fd.get());
        fd.reset();
      },
      "");
}

}  // namespace
}  // namespace caisson
