// What a learning run may do, as the kernel would answer, and what comes of what it did.
#include "policy/learning.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "filter_support.h"
#include "policy/dangerous_calls.h"
#include "policy/lint.h"
#include "policy/profile_resolver.h"
#include "policy/profile_writer.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

LoadedProfiles Shipped() {
  absl::StatusOr<LoadedProfiles> loaded = LoadProfilesAndGroups(CAISSON_PROFILES_DIR, FileTrust::kAnyOwner);
  EXPECT_TRUE(loaded.ok()) << Message(loaded.status());
  return loaded.ok() ? *std::move(loaded) : LoadedProfiles();
}

SyscallFilter LearningOf(const LoadedProfiles& shipped, const std::string& name) {
  const StepSection& run = shipped.profiles.at(name).run;
  return LearningFilter(run.filter, run.network, shipped.groups);
}

bool GoesOn(uint32_t answer) { return answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_USER_NOTIF; }

SyscallRule Rule(const std::string& name, SyscallAction action = SyscallAction::kAllow,
                 std::vector<ArgumentCondition> conditions = {}) {
  return {name, action, action == SyscallAction::kErrno ? ENOSYS : 0, std::move(conditions), "because"};
}

TEST(LearningFilterTest, NothingDangerousEverGoesOnWhateverTheProfile) {
  const LoadedProfiles shipped = Shipped();
  for (const auto& [name, profile] : shipped.profiles) {
    const CompiledFilter compiled = Compiled(LearningOf(shipped, name));
    for (const NamedCall& call : DangerousCalls()) {
      // What the other arguments are must make no difference.
      for (const uint64_t other : {uint64_t{0}, uint64_t{1}, uint64_t{0x4000}, ~uint64_t{0}}) {
        SyscallArguments arguments;
        arguments.fill(other);
        for (const FixedArgument& fixed : {call.fixed, call.other}) {
          if (fixed.index >= 0) {
            arguments.at(static_cast<size_t>(fixed.index)) = fixed.value;
          }
        }
        const uint32_t answer = Answer(compiled, Number(std::string(call.syscall)), arguments);
        // Counted record locks are notified, and bounded by init as ever.
        const bool counted = call.syscall == "fcntl" && answer == SECCOMP_RET_USER_NOTIF &&
                             std::find(kRecordLockCommands.begin(), kRecordLockCommands.end(),
                                       call.fixed.value) != kRecordLockCommands.end();
        EXPECT_TRUE(counted || !GoesOn(answer)) << name << ": " << call.syscall << " with " << other;
      }
    }
  }
}

TEST(LearningFilterTest, AProfileThatAllowsDangerousCallsDoesNotWidenTheCeiling) {
  const LoadedProfiles shipped = Shipped();
  SyscallFilter own = shipped.profiles.at("lua").run.filter;
  own.rules.erase(std::remove_if(own.rules.begin(), own.rules.end(),
                                 [](const SyscallRule& rule) {
                                   return rule.syscall == "bpf" || rule.syscall == "ptrace";
                                 }),
                  own.rules.end());
  own.rules.push_back(Rule("bpf"));
  own.rules.push_back(Rule("ptrace"));
  const CompiledFilter compiled = Compiled(LearningFilter(own, NetworkMode::kNone, shipped.groups));
  EXPECT_EQ(Answer(compiled, Number("bpf")), AnswerErrno(EPERM));
  EXPECT_EQ(Answer(compiled, Number("ptrace")), AnswerErrno(EPERM));
}

TEST(LearningFilterTest, TheKernelItselfRefusesWhatIsAboveTheCeiling) {
  const LoadedProfiles shipped = Shipped();
  const SyscallFilter learning = LearningOf(shipped, "python");
  const CompiledFilter compiled = Compiled(learning);
  for (int number = 0; number <= 600; ++number) {
    for (const uint64_t argument : {uint64_t{0}, uint64_t{2}, uint64_t{16}, uint64_t{0x5412}, ~uint64_t{0}}) {
      SyscallArguments arguments;
      arguments.fill(argument);
      const uint32_t answer = Answer(compiled, number, arguments);
      const Decision decision = Decide(learning, SyscallName(number), arguments);
      EXPECT_EQ(answer == SECCOMP_RET_ALLOW, decision.action == SyscallAction::kAllow) << SyscallName(number);
      EXPECT_EQ(answer == SECCOMP_RET_USER_NOTIF,
                decision.action == SyscallAction::kObserve || decision.action == SyscallAction::kCount)
          << SyscallName(number);
      EXPECT_TRUE(GoesOn(answer) || (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
          << SyscallName(number);
    }
  }
  EXPECT_EQ(Answer(compiled, 1, {}, AUDIT_ARCH_I386), static_cast<uint32_t>(SECCOMP_RET_KILL_PROCESS));
  EXPECT_EQ(Answer(compiled, 0x40000001), static_cast<uint32_t>(SECCOMP_RET_KILL_PROCESS));
  EXPECT_EQ(Answer(compiled, NewestKnownSyscall() + 1), AnswerErrno(ENOSYS));
}

TEST(LearningFilterTest, RefusalsKeepTheErrorsOfTheProfile) {
  const LoadedProfiles shipped = Shipped();
  const CompiledFilter compiled = Compiled(LearningOf(shipped, "python"));
  EXPECT_EQ(Answer(compiled, Number("socket"), {AF_INET, SOCK_STREAM}), AnswerErrno(EAFNOSUPPORT));
  EXPECT_EQ(Answer(compiled, Number("ioctl"), {0, 0x1234}), AnswerErrno(ENOTTY));
  EXPECT_EQ(Answer(compiled, Number("clone3")), AnswerErrno(ENOSYS));
  EXPECT_EQ(Answer(compiled, Number("fsync")), AnswerErrno(0));
  EXPECT_EQ(Answer(compiled, Number("mount")), AnswerErrno(EPERM));
}

TEST(LearningFilterTest, WhatTheStubCallsBeforeAnybodyAnswersIsNotNotified) {
  const LoadedProfiles shipped = Shipped();
  const CompiledFilter compiled = Compiled(LearningOf(shipped, "python"));
  for (const NamedCall& call : StubCalls()) {
    const uint32_t answer = Answer(compiled, Number(std::string(call.syscall)),
                                   call.fixed.index == 2 ? SyscallArguments{0, 0, call.fixed.value}
                                                         : SyscallArguments{0, call.fixed.value});
    EXPECT_EQ(answer, call.fixed.index < 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF) << call.syscall;
  }
}

TEST(LearningFilterTest, CallsOfOtherGroupsAreObserved) {
  const LoadedProfiles shipped = Shipped();
  const CompiledFilter of_bash = Compiled(LearningOf(shipped, "bash"));
  EXPECT_EQ(Answer(of_bash, Number("sched_setaffinity")), static_cast<uint32_t>(SECCOMP_RET_USER_NOTIF));
  EXPECT_EQ(Answer(of_bash, Number("epoll_wait")), static_cast<uint32_t>(SECCOMP_RET_USER_NOTIF));
  // The profile answers this one silently, and goes on doing so.
  EXPECT_EQ(Answer(of_bash, Number("socket"), {AF_UNIX, SOCK_STREAM}), AnswerErrno(EAFNOSUPPORT));
  const CompiledFilter of_loopback = Compiled(LearningOf(shipped, "python-loopback"));
  EXPECT_EQ(Answer(of_loopback, Number("socket"), {AF_INET, SOCK_STREAM}),
            static_cast<uint32_t>(SECCOMP_RET_USER_NOTIF));
}

TEST(LearningFilterTest, OrdinaryFiltersObserveNothing) {
  const LoadedProfiles shipped = Shipped();
  for (const auto& [name, profile] : shipped.profiles) {
    EXPECT_TRUE(Compiled(profile.run.filter).observed.empty()) << name;
    for (const SyscallRule& rule : profile.run.filter.rules) {
      EXPECT_NE(rule.action, SyscallAction::kObserve) << name;
    }
  }
}

TEST(LearningFilterTest, NoFileCanSayObserve) {
  TemporaryDirectory directory;
  directory.Write(
      "syscall-groups.json",
      R"({"schema_version": 1, "groups": {"g": {"description": "d", "action": "observe", "calls": {"read": "w"}}}})");
  EXPECT_NE(LoadError(directory).find("must be allow, errno, succeed, count, deny or kill"),
            std::string::npos);
}

TEST(LearnedFilterTest, OnlyWhatWasObservedIsAllowedAndSaysHowOftenWhere) {
  const LoadedProfiles shipped = Shipped();
  const SyscallFilter learning = LearningOf(shipped, "python");
  const absl::StatusOr<SyscallFilter> learned =
      LearnedFilter(learning, {{"socket", {AF_UNIX, SOCK_STREAM}, 2, "a.py"},
                               {"futex", {}, 5, "a.py"},
                               {"futex", {}, 1, "b.py"},
                               {"fcntl", {0, 6}, 3, "a.py"}});
  ASSERT_TRUE(learned.ok()) << Message(learned.status());
  const CompiledFilter compiled = Compiled(*learned);
  EXPECT_EQ(Answer(compiled, Number("socket"), {AF_UNIX, SOCK_STREAM}),
            static_cast<uint32_t>(SECCOMP_RET_ALLOW));
  EXPECT_EQ(Answer(compiled, Number("futex")), static_cast<uint32_t>(SECCOMP_RET_ALLOW));
  EXPECT_EQ(Answer(compiled, Number("bind")), static_cast<uint32_t>(SECCOMP_RET_USER_NOTIF));
  EXPECT_EQ(compiled.counted_fcntl, uint64_t{1} << 6U);
  EXPECT_TRUE(compiled.observed.empty());
  const auto futex = std::find_if(learned->rules.begin(), learned->rules.end(),
                                  [](const SyscallRule& rule) { return rule.syscall == "futex"; });
  ASSERT_NE(futex, learned->rules.end());
  EXPECT_TRUE(futex->why.ends_with("; observed 5 times in a.py, 1 time in b.py")) << futex->why;
  for (const SyscallRule& rule : learned->rules) {
    EXPECT_FALSE(rule.why.empty()) << rule.syscall;
  }
}

TEST(LearnedFilterTest, CallsThatDependOnTimingAreKeptAndSaySo) {
  const LoadedProfiles shipped = Shipped();
  const absl::StatusOr<SyscallFilter> learned = LearnedFilter(LearningOf(shipped, "lua"), {});
  ASSERT_TRUE(learned.ok()) << Message(learned.status());
  const CompiledFilter compiled = Compiled(*learned);
  for (const char* name : {"futex", "restart_syscall", "rt_sigreturn", "sched_yield"}) {
    EXPECT_EQ(Answer(compiled, Number(name)), static_cast<uint32_t>(SECCOMP_RET_ALLOW)) << name;
    const auto rule = std::find_if(learned->rules.begin(), learned->rules.end(),
                                   [&](const SyscallRule& one) { return one.syscall == name; });
    ASSERT_NE(rule, learned->rules.end()) << name;
    EXPECT_TRUE(rule->why.ends_with("; not observed, but whether it is called depends on timing"))
        << rule->why;
  }
}

TEST(LearnedFilterTest, ObservationsAboveTheCeilingAreAnError) {
  const LoadedProfiles shipped = Shipped();
  const absl::StatusOr<SyscallFilter> learned =
      LearnedFilter(LearningOf(shipped, "python"), {{"ptrace", {}, 1, "x.py"}});
  EXPECT_EQ(learned.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(learned.status()),
            "ptrace(0, 0, 0, 0, 0, 0) was observed in x.py, but is above the ceiling of this profile");
}

// Also of no observation at all: then it allows what the stub needs, and no more.
TEST(LearnedFilterTest, WhatIsWrittenIsReadBackAndLintHasNothingToSay) {
  const LoadedProfiles shipped = Shipped();
  for (const auto& [name, shipped_profile] : shipped.profiles) {
    Profile profile = shipped_profile;
    absl::StatusOr<SyscallFilter> learned = LearnedFilter(LearningOf(shipped, name), {});
    ASSERT_TRUE(learned.ok());
    profile.run.filter = *std::move(learned);
    profile.name = "learned";
    absl::StatusOr<ProfileSource> source =
        ParseProfileText(WriteProfile(profile, shipped.groups), "learned.json");
    ASSERT_TRUE(source.ok()) << Message(source.status());
    ProfileSources sources;
    sources.emplace("learned", *std::move(source));
    const auto read = ResolveProfiles(sources, shipped.groups);
    ASSERT_TRUE(read.ok()) << name << ": " << Message(read.status());
    const Profile& again = read->at("learned");
    EXPECT_EQ(AllowedInWords(again.run.filter), AllowedInWords(profile.run.filter)) << name;
    EXPECT_EQ(Compiled(again.run.filter).deny_answers, Compiled(profile.run.filter).deny_answers) << name;
    EXPECT_EQ(again.run.environment, profile.run.environment) << name;
    EXPECT_EQ(again.run.environment_whys, profile.run.environment_whys) << name;
    EXPECT_EQ(again.run.command, profile.run.command) << name;
    EXPECT_EQ(again.run.limits.defaults, profile.run.limits.defaults) << name;
    EXPECT_EQ(again.run.limits.ceilings, profile.run.limits.ceilings) << name;
    EXPECT_EQ(again.run.binds.size(), profile.run.binds.size()) << name;
    EXPECT_EQ(again.run.files.size(), profile.run.files.size()) << name;
    EXPECT_EQ(again.run.symlinks.size(), profile.run.symlinks.size()) << name;
    EXPECT_EQ(again.run.limit_hints.size(), profile.run.limit_hints.size()) << name;
    EXPECT_EQ(again.run.network, profile.run.network) << name;
    EXPECT_EQ(again.run.box_executable, profile.run.box_executable) << name;
    EXPECT_EQ(again.interactive, profile.interactive) << name;
    EXPECT_EQ(again.compile.has_value(), profile.compile.has_value()) << name;
    EXPECT_EQ(LintProfile(again), std::vector<std::string>()) << name;
    if (again.compile) {
      EXPECT_EQ(Compiled(again.compile->filter).digest, Compiled(profile.compile->filter).digest) << name;
    }
  }
}

}  // namespace
}  // namespace caisson::policy
