#include "common/status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace caisson {
namespace {

absl::StatusOr<int> Half(int number) {
  if (number % 2 != 0) {
    return absl::InvalidArgumentError("odd");
  }
  return number / 2;
}

absl::StatusOr<int> Quarter(int number) {
  ASSIGN_OR_RETURN(const int half, Half(number));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

absl::Status MustBeEven(int number) {
  RETURN_IF_ERROR(Half(number).status());
  return absl::OkStatus();
}

TEST(StatusTest, ErrnoBecomesACodeAndAReason) {
  const absl::Status status = ErrnoStatus(ENOENT, "open /x");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Message(status), "open /x: No such file or directory");
}

TEST(StatusTest, ALostErrnoIsAnErrorAllTheSame) {
  const absl::Status status = ErrnoStatus(0, "listen");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Message(status), "listen: it failed, and errno was lost");
}

TEST(StatusTest, PrefixKeepsTheCode) {
  const absl::Status status = Prefix(absl::UnavailableError("busy"), "start dispatcher");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Message(status), "start dispatcher: busy");
}

TEST(StatusTest, TheMacrosReturnTheFirstError) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Message(Quarter(6).status()), "odd");
  EXPECT_TRUE(MustBeEven(2).ok());
  EXPECT_EQ(Message(MustBeEven(3)), "odd");
}

TEST(StatusDeathTest, ABrokenInvariantSaysWhereItIs) {
  EXPECT_DEATH(CAISSON_CHECK(1 == 2), "invariant broken: 1 == 2 .*status_test.cc:");
}

}  // namespace
}  // namespace caisson
