// Requests in Piston's words, and ends of runs in them.
#include <gtest/gtest.h>

#include <string>

#include "gateway/piston_answer.h"
#include "gateway/piston_connect.h"
#include "gateway/piston_request.h"

namespace caisson::gateway {
namespace {

using Json = nlohmann::json;

v1::Profile Profile(const std::string& name, const std::string& version, const std::string& extension,
                    bool compiled) {
  v1::Profile profile;
  profile.set_name(name);
  profile.set_toolchain_version(version);
  profile.set_file_extension(extension);
  profile.set_default_main_file("main" + extension);
  profile.set_available(true);
  if (compiled) {
    profile.add_steps("compile");
  }
  profile.add_steps("run");
  profile.mutable_ceilings()->set_wall_time_ms(300'000);
  profile.mutable_ceilings()->set_memory_bytes(1'000'000);
  return profile;
}

std::vector<PistonRuntime> Runtimes() {
  v1::ListProfilesResponse response;
  *response.add_profiles() = Profile("python", "3.11.2-1", ".py", false);
  *response.add_profiles() = Profile("cpp", "4:12.2.0-3", ".cpp", true);
  *response.add_profiles() = Profile("native", "", "", false);
  *response.add_profiles() = Profile("ruby", "1:3.1", ".rb", false);
  response.mutable_profiles(3)->set_available(false);
  return RuntimesOf(response);
}

Json Body(const Json& more = Json::object()) {
  Json body = {{"language", "py"}, {"version", "3.x"}, {"files", {{{"content", "print(1)"}}}}};
  body.update(more);
  return body;
}

std::string RefusalOf(const Json& body) {
  const std::vector<PistonRuntime> runtimes = Runtimes();
  PistonJob job;
  return ParsePistonJob(body, runtimes, job).value_or("");
}

TEST(PistonTest, RuntimesAreProfilesThatCanRun) {
  EXPECT_EQ(Json::parse(RuntimesJson(Runtimes())), Json::parse(R"([
    {"language":"python","version":"3.11.2","aliases":["py","py3","python3"]},
    {"language":"c++","version":"12.2.0","aliases":["cpp","g++"],"runtime":"gcc"},
    {"language":"file","version":"0.0.0","aliases":["executable","elf","binary"]}])"));
  EXPECT_EQ(Json::parse(PackagesJson(Runtimes()))[1],
            Json::parse(R"({"language":"gcc","language_version":"12.2.0","installed":true})"));
}

TEST(PistonTest, AJobBecomesARequest) {
  const std::vector<PistonRuntime> runtimes = Runtimes();
  PistonJob job;
  const Json body = Body({{"args", {"a", "b"}},
                          {"run_timeout", 2000.5},
                          {"run_memory_limit", -1},
                          {"compile_memory_limit", -1},
                          {"compile_timeout", 10000},
                          {"files",
                           {{{"name", "data"}, {"content", "AP8="}, {"encoding", "base64"}},
                            {{"content", "print(1)"}},
                            {{"content", "00fF"}, {"encoding", "hex"}},
                            {{"name", "odd"}, {"content", "x"}, {"encoding", "utf16"}}}}});
  ASSERT_EQ(ParsePistonJob(body, runtimes, job).value_or(""), "");
  EXPECT_EQ(job.request.profile(), "python");
  EXPECT_EQ(job.request.main_file(), "main.py");
  EXPECT_EQ(job.request.files(0).content(), std::string("\0\xff", 2));
  EXPECT_EQ(job.request.files(2).path(), "file2.py");
  EXPECT_EQ(job.request.files(2).content(), std::string("\0\xff", 2));
  EXPECT_EQ(job.request.files(3).path(), "odd");
  EXPECT_EQ(job.request.args_size(), 2);
  EXPECT_EQ(job.request.limits().wall_time_ms(), 2001U);
  EXPECT_FALSE(job.request.limits().has_memory_bytes());
  EXPECT_EQ(job.request.env().at("PISTON_LANGUAGE"), "python");
}

TEST(PistonTest, ACompilersSourceHasItsEnd) {
  const std::vector<PistonRuntime> runtimes = Runtimes();
  PistonJob job;
  const Json body =
      Body({{"language", "g++"}, {"version", "*"}, {"files", {{{"name", "code"}, {"content", ""}}}}});
  ASSERT_EQ(ParsePistonJob(body, runtimes, job).value_or(""), "");
  EXPECT_EQ(job.request.main_file(), "code.cpp");
}

TEST(PistonTest, WhatIsWrongIsSaidAsPistonSaysIt) {
  EXPECT_EQ(RefusalOf(Json::array()), "language is required as a string");
  EXPECT_EQ(RefusalOf(Body({{"language", 1}})), "language is required as a string");
  EXPECT_EQ(RefusalOf(Body({{"version", ""}})), "version is required as a string");
  EXPECT_EQ(RefusalOf(Body({{"files", "x"}})), "files is required as an array");
  EXPECT_EQ(RefusalOf(Body({{"files", {{{"content", 1}}}}})), "files[0].content is required as a string");
  EXPECT_EQ(RefusalOf(Body({{"files", {1}}})), "files[0].content is required as a string");
  EXPECT_EQ(RefusalOf(Body({{"files", Json::array()}})), "files must include at least one utf8 encoded file");
  EXPECT_EQ(RefusalOf(Body({{"files", {{{"content", "!"}, {"encoding", "base64"}}}}})),
            "files[0].content is not base64");
  EXPECT_EQ(RefusalOf(Body({{"files", {{{"content", "0"}, {"encoding", "hex"}}}}})),
            "files[0].content is not hex");
  EXPECT_EQ(RefusalOf(Body({{"version", "2.x"}})), "py-2.x runtime is unknown");
  EXPECT_EQ(RefusalOf(Body({{"language", "ruby"}})), "ruby-3.x runtime is unknown");
  EXPECT_EQ(RefusalOf(Body({{"run_timeout", "1"}})), "If specified, run_timeout must be a number");
  EXPECT_EQ(RefusalOf(Body({{"compile_cpu_time", Json::array()}})),
            "If specified, compile_cpu_time must be a number");
  EXPECT_EQ(RefusalOf(Body({{"run_timeout", 300'001}})),
            "run_timeout cannot exceed the configured limit of 300000");
  EXPECT_EQ(RefusalOf(Body({{"run_timeout", -1}})), "run_timeout must be non-negative");
  EXPECT_EQ(RefusalOf(Body({{"run_memory_limit", -2}})), "run_memory_limit must be non-negative");
  EXPECT_EQ(RefusalOf(Body({{"run_cpu_time", 1e30}})),
            "run_cpu_time cannot exceed the configured limit of 1000000000000000");
  EXPECT_EQ(RefusalOf(Body({{"args", {1}}})), "args must be an array of strings");
  EXPECT_EQ(RefusalOf(Body({{"run_timeout", 0}, {"run_cpu_time", nullptr}, {"args", nullptr}})), "");
}

TEST(PistonTest, StdinEndsWithALine) {
  struct Case {
    const char* json;
    const char* input;
  };
  for (const Case& one : {Case{"{}", "\n"}, Case{R"({"stdin":null})", "\n"}, Case{R"({"stdin":"a"})", "a\n"},
                          Case{R"({"stdin":"a\n"})", "a\n"}}) {
    std::string input;
    EXPECT_FALSE(ParsePistonStdin(Json::parse(one.json), input).has_value());
    EXPECT_EQ(input, one.input) << one.json;
  }
  std::string input;
  EXPECT_EQ(ParsePistonStdin(Json::parse(R"({"stdin":1})"), input).value_or(""), "stdin must be a string");
}

v1::RunResult Result(v1::Verdict verdict, std::optional<int> code, std::optional<int> signal) {
  v1::RunResult result;
  result.set_verdict(verdict);
  result.set_message("why");
  v1::StepResult& step = *result.add_steps();
  step.set_step("run");
  step.set_verdict(verdict);
  if (code) {
    step.set_exit_code(*code);
  }
  if (signal) {
    step.set_signal(*signal);
  }
  return result;
}

TEST(PistonTest, EveryVerdictHasItsStatus) {
  struct Case {
    v1::Verdict verdict;
    std::optional<int> code;
    std::optional<int> signal;
    std::string status;
    std::string ends_by;
  };
  for (const Case& one :
       {Case{v1::COMPLETED, 0, {}, "", ""}, Case{v1::COMPLETED, 3, {}, "RE", ""},
        Case{v1::SIGNALED, {}, 11, "SG", "SIGSEGV"}, Case{v1::SIGNALED, {}, 40, "SG", "SIG40"},
        Case{v1::WALL_TIME_LIMIT, {}, 9, "TO", "SIGKILL"}, Case{v1::CPU_TIME_LIMIT, 0, {}, "TO", "SIGKILL"},
        Case{v1::MEMORY_LIMIT, 0, {}, "SG", "SIGKILL"}, Case{v1::OUTPUT_LIMIT, {}, 9, "OL", "SIGKILL"},
        Case{v1::SYSCALL_VIOLATION, {}, 9, "SG", "SIGSYS"}, Case{v1::CANCELED, {}, 9, "XX", "SIGKILL"},
        Case{v1::SANDBOX_SETUP_FAILED, {}, {}, "XX", "SIGKILL"},
        Case{v1::SERVICE_FAILED, {}, {}, "XX", "SIGKILL"}}) {
    const PistonEnd end = PistonEndOf(Result(one.verdict, one.code, one.signal), "run");
    EXPECT_EQ(end.status.value_or(""), one.status) << one.verdict;
    EXPECT_EQ(end.signal.value_or(""), one.ends_by) << one.verdict;
    EXPECT_EQ(end.code.has_value(), one.ends_by.empty()) << one.verdict;
    EXPECT_EQ(end.message.has_value(), !one.status.empty()) << one.verdict;
  }
  v1::RunResult result = Result(v1::OUTPUT_LIMIT, {}, 9);
  result.mutable_stderr()->set_truncated(true);
  EXPECT_EQ(PistonEndOf(result, "run").status, "EL");
}

TEST(PistonTest, TheAnswerHasEveryFieldOfPistons) {
  const std::vector<PistonRuntime> runtimes = Runtimes();
  RunAnswer answer;
  v1::RunEvent event;
  *event.mutable_finished() = Result(v1::COMPLETED, 0, {});
  event.mutable_finished()->mutable_steps(0)->mutable_usage()->set_cpu_user_ms(5);
  ASSERT_TRUE(answer.Take(event));
  EXPECT_EQ(Json::parse(PistonAnswerJson(runtimes[0], answer)), Json::parse(R"({
    "run":{"stdout":"","stderr":"","output":"","code":0,"signal":null,"message":null,"status":null,
           "cpu_time":5,"wall_time":null,"memory":null},
    "language":"python","version":"3.11.2"})"));
}

TEST(PistonTest, WhereNothingWasCompiledTheRunIsTheCompilers) {
  const std::vector<PistonRuntime> runtimes = Runtimes();
  RunAnswer answer;
  v1::RunEvent event;
  *event.mutable_finished() = Result(v1::COMPLETED, 1, {});
  event.mutable_finished()->set_verdict(v1::COMPILE_FAILED);
  event.mutable_finished()->mutable_steps(0)->set_step("compile");
  ASSERT_TRUE(answer.Take(event));
  const Json json = Json::parse(PistonAnswerJson(runtimes[1], answer));
  EXPECT_EQ(json["compile"]["status"], "RE");
  EXPECT_EQ(json["run"], json["compile"]);
}

}  // namespace
}  // namespace caisson::gateway
