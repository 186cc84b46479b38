#include "dispatcher/run_filter.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

v1::Run Sample() {
  v1::Run run;
  run.set_profile("python");
  run.set_state(v1::Run::FINISHED);
  run.set_request_id("job:7");
  run.mutable_result()->set_verdict(v1::COMPLETED);
  (*run.mutable_labels())["team"] = "a \"b\" \\";
  google::protobuf::util::TimeUtil::FromString("2026-03-01T12:00:00Z", run.mutable_create_time());
  return run;
}

bool Matches(const std::string& filter) {
  const absl::StatusOr<RunFilter> parsed = RunFilter::Parse(filter);
  EXPECT_TRUE(parsed.ok()) << filter << ": " << Message(parsed.status());
  return parsed.ok() && parsed->Matches(Sample());
}

TEST(RunFilterTest, EachFieldIsCompared) {
  for (const char* holds :
       {"", "   ", "state = FINISHED", "state=FINISHED", "verdict != SIGNALED", "profile = python",
        "profile = \"python\"", "request_id = job:7", R"(labels.team = "a \"b\" \\")", "labels.other != x",
        "create_time < 2026-03-01T12:00:01Z", "create_time >= 2026-03-01T12:00:00Z",
        "create_time = \"2026-03-01T12:00:00Z\"",
        "state = FINISHED AND profile = python AND labels.team != b"}) {
    EXPECT_TRUE(Matches(holds)) << holds;
  }
  for (const char* fails :
       {"state = RUNNING", "verdict = SIGNALED", "profile = pyth", "profile != python", "labels.other = x",
        "create_time > 2026-03-01T12:00:00Z", "state = FINISHED AND profile = node"}) {
    EXPECT_FALSE(Matches(fails)) << fails;
  }
}

TEST(RunFilterTest, WhetherAnEndedRunCanMatchIsKnownBefore) {
  for (const char* none : {"state != FINISHED", "state = RUNNING", "profile = a AND state = QUEUED"}) {
    EXPECT_FALSE(RunFilter::Parse(none)->MatchesFinished()) << none;
  }
  for (const char* some : {"", "state = FINISHED", "state != RUNNING", "profile = a"}) {
    EXPECT_TRUE(RunFilter::Parse(some)->MatchesFinished()) << some;
  }
}

TEST(RunFilterTest, WhatIsNoFilterIsRefused) {
  std::string many = "profile = a";
  for (size_t i = 0; i < kMaxFilterTerms; ++i) {
    many += " AND profile = a";
  }
  for (const std::string& wrong : {std::string("state"),
                                   std::string("state ="),
                                   std::string("= FINISHED"),
                                   std::string("state = NONE"),
                                   std::string("state < FINISHED"),
                                   std::string("verdict = completed"),
                                   std::string("color = red"),
                                   std::string("labels. = x"),
                                   std::string("profile = \"python"),
                                   std::string("profile = a OR profile = b"),
                                   std::string("profile = a profile = b"),
                                   std::string("profile = a AND"),
                                   std::string("(profile = a)"),
                                   std::string("create_time < yesterday"),
                                   std::string("create_time < 9999-01-01T00:00:00Z"),
                                   std::string("create_time < 0001-01-01T00:00:00Z"),
                                   std::string("profile = a'; DROP TABLE runs; --"),
                                   std::string("\0", 1),
                                   many,
                                   "profile = \"" + std::string(kMaxFilterBytes, 'x') + "\""}) {
    EXPECT_TRUE(absl::IsInvalidArgument(RunFilter::Parse(wrong).status())) << wrong;
  }
}

}  // namespace
}  // namespace caisson::dispatcher
