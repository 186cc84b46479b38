#include "cli/exit_code.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace caisson::cli {
namespace {

struct Row {
  v1::Verdict verdict;
  std::optional<int> exit_code;
  std::optional<int> signal;
  int expected;
};

TEST(ExitCodeTest, EveryVerdictHasTheDocumentedCode) {
  const std::vector<Row> rows{
      {v1::COMPLETED, 0, {}, 0},           {v1::COMPLETED, 3, {}, 3},
      {v1::COMPLETED, 255, {}, 255},       {v1::SIGNALED, {}, 9, 137},
      {v1::SIGNALED, {}, 11, 139},         {v1::WALL_TIME_LIMIT, {}, 9, 124},
      {v1::CPU_TIME_LIMIT, {}, 9, 124},    {v1::MEMORY_LIMIT, {}, 9, 124},
      {v1::MEMORY_LIMIT, 0, {}, 124},      {v1::OUTPUT_LIMIT, {}, 9, 124},
      {v1::SYSCALL_VIOLATION, {}, 9, 159}, {v1::CANCELED, {}, 9, 130},
      {v1::COMPILE_FAILED, 2, {}, 1},      {v1::SANDBOX_SETUP_FAILED, {}, {}, 125},
      {v1::SERVICE_FAILED, {}, {}, 125},
  };
  for (const Row& row : rows) {
    v1::RunResult result;
    result.set_verdict(row.verdict);
    if (row.exit_code.has_value()) {
      result.set_exit_code(*row.exit_code);
    }
    if (row.signal.has_value()) {
      result.set_signal(*row.signal);
    }
    EXPECT_EQ(ExitCodeFor(result), row.expected) << v1::Verdict_Name(row.verdict);
  }
}

TEST(ExitCodeTest, EveryVerdictOfTheApiIsHandled) {
  for (int number = v1::Verdict_MIN; number <= v1::Verdict_MAX; ++number) {
    v1::RunResult result;
    result.set_verdict(static_cast<v1::Verdict>(number));
    result.set_exit_code(0);
    result.set_signal(9);
    EXPECT_TRUE(number == v1::COMPLETED || ExitCodeFor(result) != 0) << number;
  }
}

TEST(ExitCodeTest, ResultsThatLackWhatTheyPromiseAreFailures) {
  v1::RunResult result;
  EXPECT_EQ(ExitCodeFor(result), 125);
  result.set_verdict(v1::COMPLETED);
  EXPECT_EQ(ExitCodeFor(result), 125);
  result.set_verdict(v1::SIGNALED);
  EXPECT_EQ(ExitCodeFor(result), 125);
  result.set_verdict(static_cast<v1::Verdict>(99));
  EXPECT_EQ(ExitCodeFor(result), 125);
}

// Cut to eight bits, the first and the fourth would be successes.
TEST(ExitCodeTest, NumbersThatNoProcessHasAreFailures) {
  for (const int exit_code : {256, 257, -1, -256, std::numeric_limits<int>::min()}) {
    v1::RunResult result;
    result.set_verdict(v1::COMPLETED);
    result.set_exit_code(exit_code);
    EXPECT_EQ(ExitCodeFor(result), 125) << exit_code;
  }
  for (const int signal_number : {0, -1, 65, 128, -128, std::numeric_limits<int>::max()}) {
    v1::RunResult result;
    result.set_verdict(v1::SIGNALED);
    result.set_signal(signal_number);
    EXPECT_EQ(ExitCodeFor(result), 125) << signal_number;
  }
}

}  // namespace
}  // namespace caisson::cli
