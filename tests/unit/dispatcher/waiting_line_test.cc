#include "dispatcher/scheduling/waiting_line.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace caisson::dispatcher {
namespace {

class WaitingLineTest : public testing::Test {
 protected:
  std::vector<int> PopAll() {
    std::vector<int> order;
    while (!line_.empty()) {
      order.push_back(*line_.Pop());
    }
    return order;
  }
  std::array<int, 10> of_{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  WaitingLine<int> line_;
};

TEST_F(WaitingLineTest, AGroupOfManyDoesNotComeBeforeOneOfFew) {
  for (int i = 0; i < 6; ++i) {
    line_.PushBack(&of_[static_cast<size_t>(i)], "many");
  }
  line_.PushBack(&of_[8], "few");
  line_.PushBack(&of_[9], "few");
  EXPECT_EQ(PopAll(), (std::vector<int>{0, 8, 1, 9, 2, 3, 4, 5}));
}

TEST_F(WaitingLineTest, WhoGoesBackToTheFrontIsNext) {
  line_.PushBack(&of_[0], "a");
  line_.PushBack(&of_[1], "a");
  line_.PushBack(&of_[2], "b");
  int* const first = line_.Pop();
  line_.PushFront(first, "a");
  EXPECT_EQ(PopAll(), (std::vector<int>{0, 2, 1}));
}

TEST_F(WaitingLineTest, WhoLeavesIsNotWaitedFor) {
  line_.PushBack(&of_[0], "a");
  line_.PushBack(&of_[1], "b");
  line_.PushBack(&of_[0], "a");
  line_.Remove(&of_[0]);
  EXPECT_EQ(PopAll(), (std::vector<int>{1}));
  line_.Remove(&of_[1]);
  EXPECT_TRUE(line_.empty());
}

}  // namespace
}  // namespace caisson::dispatcher
