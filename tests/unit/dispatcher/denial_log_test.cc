// What a result says about refused calls: of which step, how many, and which are summed up.
#include "dispatcher/denial_log.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace caisson::dispatcher {
namespace {

constexpr int kPtrace = 101;

wire::Event Summary(int32_t number, uint64_t count = 1, bool killed = false) {
  return {wire::kEventMagic, wire::EventType::kDenialSummary, number, killed ? 1U : 0U, count, {}};
}

// `kinds` different calls, from `first` on.
DenialLog Refused(int32_t kinds, int32_t first = 0) {
  DenialLog log;
  for (int32_t i = 0; i < kinds; ++i) {
    log.Add(Summary(first + i));
  }
  return log;
}

size_t CountOf(const std::vector<v1::Denial>& denials, const std::string& step) {
  size_t count = 0;
  for (const v1::Denial& denial : denials) {
    count += denial.step() == step ? 1U : 0U;
  }
  return count;
}

TEST(DenialLogTest, TheSummaryReplacesWhatWasSeenLive) {
  DenialLog log;
  log.Add({wire::kEventMagic, wire::EventType::kDenial, 41, 0, 1, {2, 1, 0, 0, 0, 0}});
  log.Add({wire::kEventMagic, wire::EventType::kDenial, 101, 1, 1, {}});
  log.Add({wire::kEventMagic, wire::EventType::kDenialSummary, 41, 0, 17, {2, 1, 0, 0, 0, 0}});
  log.Add({wire::kEventMagic, wire::EventType::kOtherDenials, -1, 0, 5, {}});
  const std::vector<v1::Denial> denials = SummarizeDenials({{ipc::Step::kRun, &log}});
  ASSERT_EQ(denials.size(), 3U);
  EXPECT_EQ(denials[0].name(), "socket");
  EXPECT_EQ(denials[0].count(), 17U);
  EXPECT_EQ(denials[0].args(0), 2U);
  EXPECT_EQ(denials[1].name(), "ptrace");
  EXPECT_TRUE(denials[1].killed());
  EXPECT_EQ(denials[2].name(), "other");
  EXPECT_EQ(denials[2].count(), 5U);
  EXPECT_EQ(denials[2].args_size(), 0);
}

TEST(DenialLogTest, EachStepHasItsOwn) {
  const DenialLog compile = Refused(1, kPtrace);
  DenialLog run;
  run.Add(Summary(41, 3));
  run.Add(Summary(kPtrace, 2, true));
  const std::vector<v1::Denial> denials =
      SummarizeDenials({{ipc::Step::kCompile, &compile}, {ipc::Step::kRun, &run}});
  ASSERT_EQ(denials.size(), 3U);
  EXPECT_EQ(denials[0].step(), "compile");
  EXPECT_EQ(denials[0].name(), "ptrace");
  EXPECT_EQ(denials[0].count(), 1U);
  EXPECT_FALSE(denials[0].killed());
  EXPECT_EQ(denials[1].step(), "run");
  EXPECT_EQ(denials[1].name(), "socket");
  EXPECT_EQ(denials[2].step(), "run");
  EXPECT_EQ(denials[2].name(), "ptrace");
  EXPECT_EQ(denials[2].count(), 2U);
  EXPECT_TRUE(denials[2].killed());
}

TEST(DenialLogTest, AResultExplainsABoundedNumberOfDenials) {
  const DenialLog log = Refused(128);
  const std::vector<v1::Denial> denials = SummarizeDenials({{ipc::Step::kRun, &log}});
  ASSERT_EQ(denials.size(), 128U);
  for (size_t i = 0; i < denials.size(); ++i) {
    EXPECT_EQ(denials[i].explanation().empty(), i >= kMostExplained) << i;
  }
}

TEST(DenialLogTest, NoStepTakesAnothersPlaces) {
  struct Row {
    int32_t compile;
    int32_t run;
    size_t listed_compile;
    size_t listed_run;
    size_t explained_compile;
    size_t explained_run;
  };
  const std::vector<Row> rows{
      {0, 128, 0, 128, 0, 32},   {128, 0, 128, 0, 32, 0},  {1, 128, 1, 128, 1, 31},
      {128, 2, 127, 2, 30, 2},   {65, 64, 65, 64, 16, 16}, {128, 128, 64, 65, 16, 16},
      {100, 50, 79, 50, 16, 16}, {10, 10, 10, 10, 10, 10},
  };
  for (const Row& row : rows) {
    const DenialLog compile = Refused(row.compile);
    const DenialLog run = Refused(row.run);
    const std::vector<v1::Denial> denials =
        SummarizeDenials({{ipc::Step::kCompile, &compile}, {ipc::Step::kRun, &run}});
    const std::string told = std::to_string(row.compile) + " and " + std::to_string(row.run);
    EXPECT_LE(denials.size(), kMostDenials) << told;
    EXPECT_EQ(CountOf(denials, "compile"), row.listed_compile) << told;
    EXPECT_EQ(CountOf(denials, "run"), row.listed_run) << told;
    uint64_t calls = 0;
    size_t explained_compile = 0;
    size_t explained_run = 0;
    for (const v1::Denial& denial : denials) {
      calls += denial.count();
      if (!denial.explanation().empty()) {
        ++(denial.step() == "compile" ? explained_compile : explained_run);
      }
    }
    EXPECT_EQ(calls, static_cast<uint64_t>(row.compile + row.run)) << told << ": none is lost";
    EXPECT_EQ(explained_compile, row.explained_compile) << told;
    EXPECT_EQ(explained_run, row.explained_run) << told;
  }
}

TEST(DenialLogTest, WhatEndedTheRunIsNeverSummedUp) {
  DenialLog log = Refused(20);
  log.Add(Summary(300, 1, true));
  log.Add(Summary(-1, 7));
  const std::vector<wire::Event> listed = log.Listed(4);
  ASSERT_EQ(listed.size(), 4U);
  EXPECT_EQ(listed[0].syscall_number, 0);
  EXPECT_EQ(listed[1].syscall_number, 1);
  EXPECT_EQ(listed[2].syscall_number, 300);
  EXPECT_EQ(listed[3].syscall_number, -1);
  EXPECT_EQ(listed[3].count, 18U + 7U) << "one sum, with the sum that init made";
  EXPECT_EQ(listed[3].killed, 0U);
}

TEST(DenialLogTest, CountsThatInitMadeUpDoNotWrap) {
  DenialLog log = Refused(3);
  log.Add(Summary(9, std::numeric_limits<uint64_t>::max()));
  EXPECT_EQ(log.Listed(2).back().count, std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(log.Listed(0).empty());
}

// More different calls live than its summary may have: the decoder lets them through.
TEST(DenialLogTest, ListIsBoundedWhateverInitSends) {
  const DenialLog log = Refused(193);
  EXPECT_EQ(SummarizeDenials({{ipc::Step::kRun, &log}}).size(), kMostDenials);
}

}  // namespace
}  // namespace caisson::dispatcher
