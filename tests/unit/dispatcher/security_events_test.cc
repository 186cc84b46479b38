#include "dispatcher/security_events.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dispatcher/trace_context.h"

namespace caisson::dispatcher {
namespace {

std::vector<std::string> Events(const v1::RunResult& result) {
  std::vector<std::string> found;
  for (const SecurityEvent& event : FindSecurityEvents(result)) {
    found.push_back(std::string(event.name) + " " + event.details);
  }
  return found;
}

using Lines = std::vector<std::string>;

TEST(SecurityEventsTest, AnOrdinaryRunHasNone) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_ended_by(v1::PROGRAM);
  result.mutable_usage()->set_forks_denied(kManyRefusals - 1);
  v1::Denial& denial = *result.add_denials();
  denial.set_name("socket");
  denial.set_count(kManyDenials - 1);
  EXPECT_EQ(Events(result), Lines{});
}

TEST(SecurityEventsTest, EachSignIsOne) {
  v1::RunResult result;
  v1::Denial& denial = *result.add_denials();
  denial.set_name("ptrace");
  denial.set_killed(true);
  denial.set_count(kManyDenials);
  result.mutable_usage()->set_forks_denied(kManyRefusals);
  result.set_refused_outputs_unlisted(kManyRefusals);
  result.mutable_limit()->set_name("sockets");
  result.mutable_limit()->set_observed(3000);
  EXPECT_EQ(Events(result), (Lines{"forbidden_call syscall=ptrace", "denial_burst count=100 first=ptrace",
                                   "limit_probe limit=pids count=100", "limit_probe limit=outputs count=100",
                                   "limit_probe limit=sockets count=3000"}));
}

TEST(SecurityEventsTest, AFailureOfOursIsOneAndAClientsMistakeIsNot) {
  v1::RunResult result;
  result.set_verdict(v1::SANDBOX_SETUP_FAILED);
  result.set_ended_by(v1::CLIENT);
  EXPECT_EQ(Events(result), Lines{});
  result.set_ended_by(v1::SERVICE);
  EXPECT_EQ(Events(result), Lines{"setup_failed verdict=SANDBOX_SETUP_FAILED"});
}

TEST(SecurityEventsTest, ALineSaysWhoseAndWhichRun) {
  v1::Run run;
  run.set_name("runs/x");
  run.set_profile("python");
  const SecurityEvent event{"denial_burst", "count=100 first=socket"};
  EXPECT_EQ(SecurityLine(event, run, "team"),
            "security: event=denial_burst run=runs/x tenant=team profile=python count=100 first=socket");
  run.set_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(SecurityLine(event, run, "team"),
            "security: event=denial_burst run=runs/x tenant=team profile=python count=100 first=socket "
            "trace=0af7651916cd43dd8448eb211c80319c");
}

TEST(TraceContextTest, WhatHasTheFormIsTakenAndNothingElse) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(TraceparentOf(good), good);
  EXPECT_EQ(TraceIdOf(good), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(TraceIdOf(""), "");
  for (const std::string& bad : std::vector<std::string>{
           std::string(), std::string("00"), good + "0", good.substr(1), "ff" + good.substr(2),
           "01" + good.substr(2), "00-" + std::string(32, '0') + good.substr(35),
           good.substr(0, 36) + std::string(16, '0') + "-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           good.substr(0, 35) + "_" + good.substr(36), good.substr(0, 54) + "\n"}) {
    EXPECT_EQ(TraceparentOf(bad), "") << bad;
  }
}

}  // namespace
}  // namespace caisson::dispatcher
