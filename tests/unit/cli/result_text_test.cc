#include "cli/result_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace caisson::cli {
namespace {

using Lines = std::vector<std::string>;

v1::RunResult WithLimit(v1::Verdict verdict, const std::string& name, uint64_t limit) {
  v1::RunResult result;
  result.set_verdict(verdict);
  result.mutable_limit()->set_name(name);
  result.mutable_limit()->set_limit(limit);
  return result;
}

void AddDenial(v1::RunResult& result, const std::string& name, uint64_t count, bool killed = false) {
  v1::Denial& denial = *result.add_denials();
  denial.set_name(name);
  denial.set_count(count);
  denial.set_killed(killed);
}

TEST(ResultTextTest, ProgramThatExitsByItselfNeedsNoLine) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(0);
  AddDenial(result, "socket", 1);
  EXPECT_EQ(ResultLines(result), Lines{});
  result.clear_denials();
  result.set_exit_code(3);
  EXPECT_EQ(ResultLines(result), Lines{});
}

TEST(ResultTextTest, LimitsAreNamedWithTheirValue) {
  EXPECT_EQ(ResultLines(WithLimit(v1::WALL_TIME_LIMIT, "wall_time_ms", 1000)),
            Lines{"stopped: wall time limit: 1000 ms"});
  EXPECT_EQ(ResultLines(WithLimit(v1::CPU_TIME_LIMIT, "cpu_time_ms", 10)),
            Lines{"stopped: cpu time limit: 10 ms"});
  EXPECT_EQ(ResultLines(WithLimit(v1::MEMORY_LIMIT, "memory_bytes", 268435456)),
            Lines{"stopped: memory limit: 256 MiB"});
  EXPECT_EQ(ResultLines(WithLimit(v1::OUTPUT_LIMIT, "output_bytes", 1000)),
            Lines{"stopped: output limit: 1000 bytes"});
  EXPECT_EQ(ResultLines(WithLimit(v1::SYSCALL_VIOLATION, "denial_rate", 500)),
            Lines{"stopped: denial rate limit: 500 refused calls a second"});
  EXPECT_EQ(ResultLines(WithLimit(v1::MEMORY_LIMIT, "sockets", 2048)), Lines{"stopped: sockets limit: 2048"});
}

TEST(ResultTextTest, CancellationIsSaidOnce) {
  v1::RunResult result;
  result.set_verdict(v1::CANCELED);
  EXPECT_EQ(ResultLines(result), Lines{"canceled"});
  result.set_message("Canceled: the client asked for it.");
  EXPECT_EQ(ResultLines(result), Lines{"canceled: the client asked for it."});
  result.set_message("Enough.");
  EXPECT_EQ(ResultLines(result), Lines{"canceled: Enough."});
}

TEST(ResultTextTest, LimitWithoutDetailsIsStillNamed) {
  v1::RunResult result;
  result.set_verdict(v1::MEMORY_LIMIT);
  EXPECT_EQ(ResultLines(result), Lines{"stopped: memory limit"});
}

TEST(ResultTextTest, ViolationNamesTheCall) {
  v1::RunResult result;
  result.set_verdict(v1::SYSCALL_VIOLATION);
  AddDenial(result, "ptrace", 1, true);
  EXPECT_EQ(ResultLines(result),
            (Lines{"stopped: the profile kills for the system call ptrace", "refused calls: ptrace once"}));
}

TEST(ResultTextTest, DenialsAreSummedUpWhenTheProgramFailed) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(1);
  AddDenial(result, "socket", 3);
  AddDenial(result, "mount", 1);
  EXPECT_EQ(ResultLines(result), Lines{"refused calls: socket 3 times, mount once"});
}

TEST(ResultTextTest, DenialsAreToldWithWhatWasWantedAndWhatToDo) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(1);
  AddDenial(result, "socket", 2);
  for (const char* argument : {"AF_INET", "SOCK_STREAM|SOCK_CLOEXEC", "0"}) {
    result.mutable_denials(0)->add_decoded_args(argument);
  }
  result.mutable_denials(0)->set_explanation("No network.");
  AddDenial(result, "socketpair", 1);
  result.mutable_denials(1)->set_explanation("No network.");
  for (const char* name : {"a", "b", "c"}) {
    AddDenial(result, name, 1);
    result.mutable_denials(result.denials_size() - 1)
        ->set_explanation(std::string("Because of ") + name + ".");
  }
  EXPECT_EQ(ResultLines(result), (Lines{"refused calls: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) 2 "
                                        "times, socketpair once, a once, b once, "
                                        "c once",
                                        "socket: No network.", "a: Because of a.", "b: Because of b."}));
}

TEST(ResultTextTest, DenialsOfACompilerAreToldApart) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(1);
  AddDenial(result, "ptrace", 2);
  result.mutable_denials(0)->set_step("compile");
  AddDenial(result, "socket", 1);
  result.mutable_denials(1)->set_step("run");
  result.mutable_denials(1)->set_explanation("No network.");
  EXPECT_EQ(ResultLines(result), (Lines{"refused calls while compiling: ptrace 2 times",
                                        "refused calls: socket once", "socket: No network."}));
  result.mutable_denials()->RemoveLast();
  EXPECT_EQ(ResultLines(result), Lines{"refused calls while compiling: ptrace 2 times"});
}

TEST(ResultTextTest, LongDenialListsAreCut) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(1);
  for (int i = 0; i < 12; ++i) {
    AddDenial(result, "c" + std::to_string(i), 1);
  }
  ASSERT_EQ(ResultLines(result).size(), 1U);
  EXPECT_NE(ResultLines(result)[0].find("c7 once, and 4 other calls"), std::string::npos)
      << ResultLines(result)[0];
}

TEST(ResultTextTest, SignalsAreNamed) {
  v1::RunResult result;
  result.set_verdict(v1::SIGNALED);
  result.set_signal(11);
  EXPECT_EQ(ResultLines(result), Lines{"ended by signal 11 (Segmentation fault)"});
}

TEST(ResultTextTest, FailuresOfTheServiceCarryTheirMessage) {
  v1::RunResult result;
  result.set_verdict(v1::SANDBOX_SETUP_FAILED);
  result.set_message("mount the root: No such file\n or directory");
  EXPECT_EQ(ResultLines(result), Lines{"failed: mount the root: No such file\\x0a or directory"});
}

TEST(ResultTextTest, VerdictThisProgramDoesNotKnowIsNamedByItsNumber) {
  v1::RunResult result;
  result.set_verdict(static_cast<v1::Verdict>(99));
  EXPECT_EQ(ResultLines(result), Lines{"failed: verdict unknown (99)"});
}

TEST(ResultTextTest, CountsOfMoreThanThereCanBeDoNotWrap) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(0);
  for (int i = 0; i < 10; ++i) {
    result.add_refused_outputs();
  }
  result.set_refused_outputs_unlisted(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(ResultLines(result).back(), "not returned: 18446744073709551615 other paths");
}

TEST(ResultTextTest, CutStreamsAreCounted) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(0);
  result.mutable_stdout()->set_bytes(5000);
  result.mutable_stdout()->set_delivered_bytes(1024);
  result.mutable_stdout()->set_truncated(true);
  EXPECT_EQ(ResultLines(result), Lines{"stdout was cut: 1024 of 5000 bytes delivered"});
}

TEST(ResultTextTest, FilesThatDidNotComeBackAreListedAndTheRestCounted) {
  v1::RunResult result;
  result.set_verdict(v1::COMPLETED);
  result.set_exit_code(0);
  for (int i = 0; i < 10; ++i) {
    v1::RefusedOutput& refused = *result.add_refused_outputs();
    refused.set_path("p" + std::to_string(i));
    refused.set_message("it is a link");
  }
  result.set_refused_outputs_unlisted(5);
  result.set_outputs_incomplete(true);
  const Lines lines = ResultLines(result);
  ASSERT_EQ(lines.size(), 10U);
  EXPECT_EQ(lines[0], "not returned: p0: it is a link");
  EXPECT_EQ(lines[8], "not returned: 7 other paths");
  EXPECT_EQ(lines[9], "the returned files are incomplete: the collection was cut off");
}

}  // namespace
}  // namespace caisson::cli
