#include "cli/learn_command.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/json_output.h"
#include "common/status.h"

namespace caisson::cli {
namespace {

v1::RunResult Learned() {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.mutable_isolation()->set_learning(true);
  v1::ObservedCall* call = result.add_observed_calls();
  call->set_step("run");
  call->set_name("socket");
  call->set_count(3);
  for (const unsigned argument : {1U, 2U, 0U, 0U, 0U, 0U}) {
    call->add_args(argument);
  }
  result.add_observed_calls()->set_step("compile");
  return result;
}

std::string ErrorOf(const v1::RunResult& result) {
  const auto observations = ObservationsOf(result, "run", "a.py");
  return observations.ok() ? "" : Message(observations.status());
}

TEST(LearnCommandTest, WhatRunJsonPrintsIsReadBack) {
  const absl::StatusOr<std::string> json = RunResultJson(Learned(), "out", "err", {});
  ASSERT_TRUE(json.ok());
  const absl::StatusOr<v1::RunResult> read = ParseRunResult(*json);
  ASSERT_TRUE(read.ok()) << Message(read.status());
  const auto observations = ObservationsOf(*read, "run", "a.py");
  ASSERT_TRUE(observations.ok()) << Message(observations.status());
  ASSERT_EQ(observations->size(), 1U);
  EXPECT_EQ(observations->front().syscall, "socket");
  EXPECT_EQ(observations->front().count, 3U);
  EXPECT_EQ(observations->front().arguments[1], 2U);
  EXPECT_EQ(observations->front().program, "a.py");
  for (const char* other :
       {"", "[]", "{}", "{\"verdict\": \"COMPLETED\"", "{\"verdict\": 17.5}", "{\"observed_calls\": 1}"}) {
    EXPECT_FALSE(ParseRunResult(other).ok()) << other;
  }
}

TEST(LearnCommandTest, ResultsThatShowOnlyAPartAreRefused) {
  EXPECT_EQ(ErrorOf(Learned()), "");
  v1::RunResult result = Learned();
  result.mutable_isolation()->set_learning(false);
  EXPECT_NE(ErrorOf(result).find("a.py: the run did not learn"), std::string::npos);
  result = Learned();
  result.set_verdict(v1::WALL_TIME_LIMIT);
  EXPECT_NE(ErrorOf(result).find("since it ended with WALL_TIME_LIMIT"), std::string::npos);
  result = Learned();
  result.set_observed_calls_unlisted(9);
  EXPECT_NE(ErrorOf(result).find("9 calls that its result has no room for"), std::string::npos);
}

TEST(LearnCommandTest, DifferenceNamesWhatOnlyOneOfTheTwoAllows) {
  const policy::SyscallFilter current{{{"read", policy::SyscallAction::kAllow, 0, {}, "w"},
                                       {"bind", policy::SyscallAction::kAllow, 0, {}, "w"},
                                       {"bpf", policy::SyscallAction::kKill, 0, {}, "w"}}};
  const policy::SyscallFilter learned{
      {{"read", policy::SyscallAction::kAllow, 0, {}, "other"},
       {"prctl", policy::SyscallAction::kAllow, 0, {{0, 0xffffffffU, 15}}, "w"}}};
  EXPECT_EQ(FilterDifference(current, learned), "+ prctl when arg0 == 0xf\n- bind\n");
  EXPECT_EQ(FilterDifference(current, current), "");
}

}  // namespace
}  // namespace caisson::cli
