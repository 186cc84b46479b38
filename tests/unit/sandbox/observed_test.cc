#include "sandbox/init/observed.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "sandbox/plan_writer.h"

namespace caisson::init {
namespace {

using sandbox::PlanObservedCall;

class ObservedCallsTest : public testing::Test {
 protected:
  // What is left in the room by whoever had it before must make no difference.
  ObservedCallsTest() { std::memset(static_cast<void*>(room_), 0xa5, sizeof room_); }

  PlanReader Plan(const std::vector<PlanObservedCall>& calls) {
    sandbox::PlanWriter writer;
    writer.Add(sandbox::PlanRecord::kHostName, {0, 0, "caisson"});
    if (!calls.empty()) {
      writer.Add(sandbox::PlanRecord::kObserved, {}, std::as_bytes(std::span(calls)));
    }
    plan_ = writer.Finish();
    // SAFETY: bytes are bytes.
    return {reinterpret_cast<const unsigned char*>(plan_.data()), plan_.size()};
  }

  ObservedKinds room_;

 private:
  std::vector<std::byte> plan_;
};

TEST_F(ObservedCallsTest, WithoutARecordInThePlanNothingIsObserved) {
  ObservedCalls observed(Plan({}), room_);
  for (int32_t number = -1; number <= 1023; ++number) {
    EXPECT_FALSE(observed.Count(number, {}));
  }
  EXPECT_EQ(observed.kinds(), 0U);
  EXPECT_EQ(observed.other(), 0U);
}

TEST_F(ObservedCallsTest, OnlyListedCallsAreObserved) {
  ObservedCalls observed(Plan({{41, {}}}), room_);
  EXPECT_TRUE(observed.Count(41, {}));
  EXPECT_FALSE(observed.Count(42, {}));
  EXPECT_FALSE(observed.Count(wire::kI386Call, {}));
  EXPECT_FALSE(observed.Count(-1, {}));
  EXPECT_EQ(observed.kinds(), 1U);
}

TEST_F(ObservedCallsTest, KindsDifferByTheBitsThatRulesLookAt) {
  ObservedCalls observed(Plan({{41, {0xffffffffU, 0xfU, 0, 0, 0, 0}}}), room_);
  EXPECT_TRUE(observed.Count(41, {1, 0x12, 3, 4, 5, 6}));
  EXPECT_TRUE(observed.Count(41, {0xffffffff00000001, 0x22, 9, 9, 9, 9}));
  EXPECT_TRUE(observed.Count(41, {2, 0x12, 3, 4, 5, 6}));
  ASSERT_EQ(observed.kinds(), 2U);
  EXPECT_EQ(observed.kind(0).count, 2U);
  EXPECT_EQ(observed.kind(0).args[0], 1U);
  EXPECT_EQ(observed.kind(0).args[1], 2U);
  EXPECT_EQ(observed.kind(0).args[2], 0U);
  EXPECT_EQ(observed.kind(1).count, 1U);
  EXPECT_EQ(observed.kind(1).syscall_number, 41);
}

TEST_F(ObservedCallsTest, KindsBeyondTheTableAreSummedUp) {
  ObservedCalls observed(Plan({{41, {0xffffffffU, 0, 0, 0, 0, 0}}}), room_);
  for (uint64_t value = 0; value < wire::kMaxObservedKinds + 7; ++value) {
    EXPECT_TRUE(observed.Count(41, {value, 0, 0, 0, 0, 0}));
  }
  EXPECT_TRUE(observed.Count(41, {3, 0, 0, 0, 0, 0}));
  EXPECT_EQ(observed.kinds(), wire::kMaxObservedKinds);
  EXPECT_EQ(observed.kind(3).count, 2U);
  EXPECT_EQ(observed.other(), 7U);
}

}  // namespace
}  // namespace caisson::init
