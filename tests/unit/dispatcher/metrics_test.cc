#include "dispatcher/metrics.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::dispatcher {
namespace {

class MetricsTest : public testing::Test {
 protected:
  // Whether the page has this line.
  bool Has(const std::string& line) {
    return ("\n" + metrics_.Page(now_)).find("\n" + line + "\n") != std::string::npos;
  }

  MetricsNow now_;
  Metrics metrics_{{"python"}, "1.2.3"};
};

TEST_F(MetricsTest, ARunThatEndedIsCountedWithItsPartsAndWhatItUsed) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  v1::StepResult& step = *result.add_steps();
  step.mutable_timings()->mutable_setup()->set_nanos(3'000'000);
  step.mutable_timings()->mutable_run()->set_seconds(2);
  step.mutable_usage()->set_cpu_user_ms(1500);
  result.mutable_stdout()->set_bytes(7);
  v1::Denial& denial = *result.add_denials();
  denial.set_name("socket");
  denial.set_count(3);
  metrics_.OnEnded("python", result);
  EXPECT_TRUE(Has("caisson_runs_total{profile=\"python\",verdict=\"COMPLETED\"} 1"));
  EXPECT_TRUE(Has("caisson_run_stage_seconds_bucket{stage=\"setup\",le=\"0.005\"} 1"));
  EXPECT_TRUE(Has("caisson_run_stage_seconds_bucket{stage=\"setup\",le=\"0.002\"} 0"));
  EXPECT_TRUE(Has("caisson_run_stage_seconds_sum{stage=\"run\"} 2"));
  EXPECT_FALSE(Has("caisson_run_stage_seconds_count{stage=\"start\"} 1"))
      << "what is not known is not counted";
  EXPECT_TRUE(Has("caisson_run_cpu_seconds_total{profile=\"python\"} 1.5"));
  EXPECT_TRUE(Has("caisson_output_bytes_total{stream=\"stdout\"} 7"));
  EXPECT_TRUE(Has("caisson_denied_calls_total{syscall=\"socket\"} 3"));
}

TEST_F(MetricsTest, NamesThatAreInNoListAreOther) {
  for (int i = 0; i < 1000; ++i) {
    v1::RunResult result;
    v1::Denial& denial = *result.add_denials();
    denial.set_name("call" + std::to_string(i));
    denial.set_count(1);
    metrics_.OnEnded("profile" + std::to_string(i), result);
  }
  EXPECT_TRUE(Has("caisson_runs_total{profile=\"other\",verdict=\"VERDICT_UNSPECIFIED\"} 1000"));
  EXPECT_TRUE(Has("caisson_denied_calls_total{syscall=\"other\"} 400"));
}

TEST_F(MetricsTest, TheMomentIsThatOfTheScrape) {
  now_.active_runs = 3;
  now_.waiting_runs["default"] = 2;
  EXPECT_TRUE(Has("caisson_runs_active 3"));
  EXPECT_TRUE(Has("caisson_queue_runs{tenant=\"default\"} 2"));
  now_.waiting_runs["default"] = 0;
  EXPECT_TRUE(Has("caisson_queue_runs{tenant=\"default\"} 0"));
  EXPECT_TRUE(Has("caisson_build_info{version=\"1.2.3\"} 1"));
}

TEST_F(MetricsTest, ATenantWithoutWaitingRunsHasNone) {
  now_.waiting_runs = {{"a", 2}, {"b", 1}};
  EXPECT_TRUE(Has("caisson_queue_runs{tenant=\"a\"} 2"));
  now_.waiting_runs = {{"b", 3}};
  EXPECT_TRUE(Has("caisson_queue_runs{tenant=\"a\"} 0"));
  EXPECT_TRUE(Has("caisson_queue_runs{tenant=\"b\"} 3"));
}

TEST_F(MetricsTest, TheProcessIsThere) {
  const std::string page = metrics_.Page(now_);
  EXPECT_EQ(page.find("process_resident_memory_bytes 0\n"), std::string::npos);
  EXPECT_EQ(page.find("process_start_time_seconds 0\n"), std::string::npos);
  EXPECT_NE(page.find("# TYPE process_cpu_seconds_total counter\n"), std::string::npos);
}

}  // namespace
}  // namespace caisson::dispatcher
