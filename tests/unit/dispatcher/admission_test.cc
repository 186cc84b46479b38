#include "dispatcher/admission.h"

#include <gtest/gtest.h>

namespace caisson::dispatcher {
namespace {

using Entry = Admission::Entry;

constexpr AdmissionConfig kConfig{2, 100, 3, 50};

TEST(AdmissionTest, AdmitsInOrderUpToTheNumberOfRuns) {
  Admission admission(kConfig);
  for (AdmissionId id = 1; id <= 3; ++id) {
    ASSERT_EQ(admission.Enqueue(id, 10, 1), Entry::kAccepted);
  }
  EXPECT_EQ(admission.AdmitNext(), 1U);
  EXPECT_EQ(admission.AdmitNext(), 2U);
  EXPECT_EQ(admission.AdmitNext(), std::nullopt);
  admission.Release(1);
  EXPECT_EQ(admission.AdmitNext(), 3U);
}

TEST(AdmissionTest, HoldsTheMemoryBudget) {
  Admission admission(kConfig);
  ASSERT_EQ(admission.Enqueue(1, 60, 1), Entry::kAccepted);
  ASSERT_EQ(admission.AdmitNext(), 1U);
  ASSERT_EQ(admission.Enqueue(2, 50, 1), Entry::kAccepted);
  EXPECT_EQ(admission.AdmitNext(), std::nullopt);
  EXPECT_EQ(admission.memory_in_use_bytes(), 60U);
  admission.Release(1);
  EXPECT_EQ(admission.AdmitNext(), 2U);
  EXPECT_EQ(admission.memory_in_use_bytes(), 50U);
}

TEST(AdmissionTest, WhatARunNoLongerNeedsIsForTheNext) {
  Admission admission(kConfig);
  ASSERT_EQ(admission.Enqueue(1, 60, 1), Entry::kAccepted);
  ASSERT_EQ(admission.AdmitNext(), 1U);
  ASSERT_EQ(admission.Enqueue(2, 50, 1), Entry::kAccepted);
  EXPECT_EQ(admission.AdmitNext(), std::nullopt);
  admission.Reduce(1, 10);
  EXPECT_EQ(admission.AdmitNext(), 2U);
  admission.Release(1);
  EXPECT_EQ(admission.memory_in_use_bytes(), 50U);
}

TEST(AdmissionTest, SmallRunsDoNotOvertakeALargeOne) {
  Admission admission(kConfig);
  ASSERT_EQ(admission.Enqueue(1, 60, 1), Entry::kAccepted);
  ASSERT_EQ(admission.AdmitNext(), 1U);
  ASSERT_EQ(admission.Enqueue(2, 100, 1), Entry::kAccepted);
  ASSERT_EQ(admission.Enqueue(3, 1, 1), Entry::kAccepted);
  EXPECT_EQ(admission.AdmitNext(), std::nullopt);
  EXPECT_EQ(admission.Waiting(), (std::vector<AdmissionId>{2, 3}));
}

TEST(AdmissionTest, QueueHasAHardBound) {
  Admission admission(kConfig);
  for (AdmissionId id = 1; id <= 2; ++id) {
    ASSERT_EQ(admission.Enqueue(id, 50, 1), Entry::kAccepted);
    ASSERT_EQ(admission.AdmitNext(), id);
  }
  ASSERT_EQ(admission.Enqueue(3, 1, 1), Entry::kAccepted);
  ASSERT_EQ(admission.Enqueue(4, 1, 1), Entry::kAccepted);
  ASSERT_EQ(admission.Enqueue(5, 1, 1), Entry::kAccepted);
  EXPECT_EQ(admission.Enqueue(6, 1, 1), Entry::kQueueFull);
  EXPECT_EQ(admission.waiting(), 3U);
}

TEST(AdmissionTest, WaitingRequestsHaveABoundInBytes) {
  Admission admission(kConfig);
  ASSERT_EQ(admission.Enqueue(1, 100, 1'000), Entry::kAccepted);  // starts at once, so it does not wait
  ASSERT_EQ(admission.AdmitNext(), 1U);
  ASSERT_EQ(admission.Enqueue(2, 1, 40), Entry::kAccepted);
  EXPECT_EQ(admission.Enqueue(3, 1, 20), Entry::kTooManyBytes);
  EXPECT_TRUE(admission.Remove(2));
  EXPECT_EQ(admission.Enqueue(3, 1, 20), Entry::kAccepted);
}

TEST(AdmissionTest, ARunThatLeavesMakesRoom) {
  Admission admission(kConfig);
  ASSERT_EQ(admission.Enqueue(1, 100, 1), Entry::kAccepted);
  ASSERT_EQ(admission.Enqueue(2, 100, 1), Entry::kAccepted);
  EXPECT_TRUE(admission.Remove(1));
  EXPECT_FALSE(admission.Remove(1));
  EXPECT_EQ(admission.AdmitNext(), 2U);
  EXPECT_FALSE(admission.Remove(2));
}

TEST(AdmissionTest, WithoutAQueueARunThatFitsStillStarts) {
  Admission admission({1, 10, 0, 0});
  ASSERT_EQ(admission.Enqueue(1, 10, 5), Entry::kAccepted);
  ASSERT_EQ(admission.AdmitNext(), 1U);
  EXPECT_EQ(admission.Enqueue(2, 10, 5), Entry::kQueueFull);
}

}  // namespace
}  // namespace caisson::dispatcher
