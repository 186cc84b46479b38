#include "policy/filter_compiler.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>

#include "filter_support.h"

namespace caisson::policy {
namespace {

constexpr uint32_t kAll = 0xffffffffU;
constexpr uint32_t kArchI386 = AUDIT_ARCH_I386;

SyscallFilter SmallFilter() {
  return {{{"read", SyscallAction::kAllow, 0, {}, "t"},
           {"socket", SyscallAction::kAllow, 0, {{0, kAll, 1}}, "t"},
           {"socket", SyscallAction::kDeny, EAFNOSUPPORT, {}, "t"},
           {"clone", SyscallAction::kAllow, 0, {{0, 0x7e020000, 0}}, "t"},
           {"clone3", SyscallAction::kErrno, ENOSYS, {}, "t"},
           {"fsync", SyscallAction::kSucceed, 0, {}, "t"},
           {"ptrace", SyscallAction::kKill, 0, {}, "t"}}};
}

TEST(FilterCompilerTest, EachActionBecomesItsReturnValue) {
  const CompiledFilter compiled = Compiled(SmallFilter());
  EXPECT_EQ(Answer(compiled, Number("read")), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(compiled, Number("clone3")), AnswerErrno(ENOSYS));
  EXPECT_EQ(Answer(compiled, Number("fsync")), AnswerErrno(0));
  EXPECT_EQ(Answer(compiled, Number("socket"), {1}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(compiled, Number("socket"), {2}), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(Answer(compiled, Number("ptrace")), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(Answer(compiled, Number("mount")), SECCOMP_RET_USER_NOTIF);
}

TEST(FilterCompilerTest, DenyAnswersSayWhatInitReplies) {
  const CompiledFilter compiled = Compiled(SmallFilter());
  for (size_t number = 0; number < kSyscallNumbers; ++number) {
    const int as_int = static_cast<int>(number);
    const bool kills = as_int == Number("ptrace") || as_int == kI386Call || as_int == kX32Call;
    const uint8_t expected = kills                        ? uint8_t{255}
                             : as_int == Number("socket") ? uint8_t{EAFNOSUPPORT}
                                                          : uint8_t{0};
    EXPECT_EQ(compiled.deny_answers.at(number), expected) << number;
  }
}

TEST(FilterCompilerTest, ForeignArchitecturesAndX32AreReportedFirstAndEndTheRun) {
  const CompiledFilter compiled = Compiled(SmallFilter());
  for (int number = 0; number < 1024; ++number) {
    EXPECT_EQ(Answer(compiled, number, {}, kArchI386), SECCOMP_RET_USER_NOTIF) << number;
    EXPECT_EQ(Answer(compiled, number, {}, AUDIT_ARCH_AARCH64), SECCOMP_RET_USER_NOTIF) << number;
    EXPECT_EQ(Answer(compiled, number | 0x40000000), SECCOMP_RET_USER_NOTIF) << number;
  }
  EXPECT_EQ(Answer(compiled, -1), SECCOMP_RET_USER_NOTIF);
}

TEST(FilterCompilerTest, NumbersAboveTheNewestKnownGetEnosys) {
  const CompiledFilter compiled = Compiled(SmallFilter());
  const int newest = NewestKnownSyscall();
  EXPECT_GE(newest, 441);
  EXPECT_EQ(Answer(compiled, newest), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(Answer(compiled, newest + 1), AnswerErrno(ENOSYS));
  EXPECT_EQ(Answer(compiled, 0x3fffffff), AnswerErrno(ENOSYS));
  EXPECT_EQ(Answer(compiled, std::numeric_limits<int>::min()), AnswerErrno(ENOSYS));
}

TEST(FilterCompilerTest, OnlyTheLowHalfOfArgumentsIsCompared) {
  const CompiledFilter compiled = Compiled(SmallFilter());
  for (const uint64_t high : {uint64_t{0}, uint64_t{1}, uint64_t{0x7e020000}, uint64_t{0xffffffff}}) {
    EXPECT_EQ(Answer(compiled, Number("socket"), {high << 32U | 1U}), SECCOMP_RET_ALLOW) << high;
    EXPECT_EQ(Answer(compiled, Number("socket"), {high << 32U | 16U}), SECCOMP_RET_USER_NOTIF) << high;
    EXPECT_EQ(Answer(compiled, Number("clone"), {high << 32U | 0x11U}), SECCOMP_RET_ALLOW) << high;
    EXPECT_EQ(Answer(compiled, Number("clone"), {high << 32U | 0x10000011U}), SECCOMP_RET_USER_NOTIF) << high;
  }
}

TEST(FilterCompilerTest, TheDigestIsOfTheProgram) {
  const CompiledFilter first = Compiled(SmallFilter());
  const CompiledFilter again = Compiled(SmallFilter());
  EXPECT_EQ(first.digest, again.digest);
  SyscallFilter other = SmallFilter();
  other.rules.push_back({"write", SyscallAction::kAllow, 0, {}, "t"});
  EXPECT_NE(first.digest, Compiled(other).digest);
  EXPECT_NE(first.digest, (std::array<uint8_t, 32>{}));
}

TEST(FilterCompilerTest, AnEmptyFilterReportsEverything) {
  const CompiledFilter compiled = Compiled({});
  for (int number = 0; number <= NewestKnownSyscall(); ++number) {
    EXPECT_EQ(Answer(compiled, number), SECCOMP_RET_USER_NOTIF) << number;
  }
}

TEST(FilterCompilerTest, TheSameRuleTwiceIsTheSameRule) {
  SyscallFilter twice = SmallFilter();
  twice.rules.push_back(twice.rules[0]);
  twice.rules.push_back(twice.rules[1]);
  EXPECT_EQ(Compiled(twice).digest, Compiled(SmallFilter()).digest);
}

TEST(FilterCompilerTest, ContradictionsAreInvalidArguments) {
  SyscallFilter filter = SmallFilter();
  filter.rules.push_back({"ptrace", SyscallAction::kAllow, 0, {}, "t"});
  const auto compiled = CompileFilter(filter);
  ASSERT_EQ(compiled.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(compiled.status()),
            "ptrace: contradicts another rule of ptrace with the same conditions");
}

TEST(FilterCompilerTest, UnknownNamesAreInvalidArguments) {
  const auto compiled = CompileFilter({{{"opennat", SyscallAction::kAllow, 0, {}, "t"}}});
  ASSERT_EQ(compiled.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(compiled.status()), "opennat: x86-64 has no syscall 'opennat'");
}

TEST(FilterCompilerTest, NumbersHaveNames) {
  EXPECT_EQ(SyscallName(257), "openat");
  EXPECT_EQ(SyscallName(kI386Call), "i386_syscall");
  EXPECT_EQ(SyscallName(kX32Call), "x32_syscall");
  EXPECT_EQ(SyscallName(0), "read");
  EXPECT_EQ(SyscallName(1000), "syscall_1000");
}

}  // namespace
}  // namespace caisson::policy
