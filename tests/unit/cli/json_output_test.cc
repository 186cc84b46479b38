#include "cli/json_output.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "common/status.h"

namespace caisson::cli {
namespace {

v1::RunResult SampleResult() {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(0);
  result.set_ended_by(v1::PROGRAM);
  result.mutable_usage()->set_memory_peak_bytes(4096);
  result.mutable_stdout()->set_bytes(5);
  result.mutable_stdout()->set_delivered_bytes(5);
  result.mutable_stderr()->set_truncated(true);
  return result;
}

TEST(JsonOutputTest, StreamsAreTextAndTheirCountsHaveNamesOfTheirOwn) {
  const auto json = nlohmann::json::parse(*RunResultJson(SampleResult(), "hello", "", {}));
  EXPECT_EQ(json["stdout"], "hello");
  EXPECT_EQ(json["stderr"], "");
  EXPECT_EQ(json["stdout_count"]["bytes"], "5");
  EXPECT_EQ(json["stderr_count"]["truncated"], true);
  EXPECT_EQ(json["outputs"], nlohmann::json::array());
}

TEST(JsonOutputTest, FieldsHaveTheirProtoNames) {
  const auto json = nlohmann::json::parse(*RunResultJson(SampleResult(), "", "", {}));
  EXPECT_EQ(json["verdict"], "COMPLETED");
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["ended_by"], "PROGRAM");
  EXPECT_EQ(json["usage"]["memory_peak_bytes"], "4096");
}

TEST(JsonOutputTest, WhatTheKernelDoesNotGiveIsAbsentNotZero) {
  const auto json = nlohmann::json::parse(*RunResultJson(SampleResult(), "", "", {}));
  EXPECT_FALSE(json.contains("signal"));
  EXPECT_FALSE(json["usage"].contains("oom_kills"));
  EXPECT_FALSE(json.contains("limit"));
}

TEST(JsonOutputTest, InvalidUtf8IsReplaced) {
  const auto json = nlohmann::json::parse(*RunResultJson(SampleResult(),
                                                         "a\xff"
                                                         "b\xc3",
                                                         "\xc3\xbc", {}));
  EXPECT_EQ(json["stdout"],
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  EXPECT_EQ(json["stderr"], "\xc3\xbc");
}

TEST(JsonOutputTest, NulAndNewlinesStayInsideOneLine) {
  const std::string text = *RunResultJson(SampleResult(), std::string("a\0b\n", 4), "", {});
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text)["stdout"].get<std::string>(), std::string("a\0b\n", 4));
}

// The server's word; protobuf's JSON has no form for it.
TEST(JsonOutputTest, TimesOutOfRangeAreAnErrorNotACrash) {
  v1::RunResult result = SampleResult();
  result.mutable_timings()->mutable_run()->set_seconds(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Message(MessageJson(result).status()).find("the server's answer has no form in JSON"), 0U)
      << MessageJson(result).status();
  EXPECT_FALSE(RunResultJson(result, "", "", {}).ok());
  v1::Run run;
  run.mutable_create_time()->set_nanos(-1);
  EXPECT_FALSE(MessageJson(run).ok());
  run.mutable_create_time()->set_nanos(0);
  EXPECT_TRUE(MessageJson(run).ok());
}

TEST(JsonOutputTest, ReturnedFilesHaveTheirContentInBase64) {
  v1::RunResult result = SampleResult();
  result.add_outputs()->set_path("a/b.bin");
  result.mutable_outputs(0)->set_size_bytes(3);
  result.add_outputs()->set_path("empty");
  const auto json =
      nlohmann::json::parse(*RunResultJson(result, "", "", {{"a/b.bin", std::string("\xff\0", 2)}}));
  EXPECT_EQ(json["outputs"][0]["path"], "a/b.bin");
  EXPECT_EQ(json["outputs"][0]["size_bytes"], "3");
  EXPECT_EQ(json["outputs"][0]["content"], "/wA=");
  EXPECT_EQ(json["outputs"][1]["content"], "");
}

}  // namespace
}  // namespace caisson::cli
