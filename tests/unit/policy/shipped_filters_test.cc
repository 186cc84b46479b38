// Each shipped profile's compiled filter against a plain reading of its rules, written here a second time on
// purpose.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "filter_support.h"
#include "plain_filter.h"
#include "policy/filter_cache.h"
#include "policy_support.h"

namespace caisson::policy {
namespace {

constexpr uint32_t kArchI386 = AUDIT_ARCH_I386;
constexpr int kNumbers = 601;

// Of a step, as in kNames.
bool UsesSockets(const std::string& step) {
  return !step.starts_with("bash_") && !step.starts_with("lua_") && !step.ends_with("_compile");
}

// TCP and UDP by their own protocol numbers, and nothing else that the two families have.
bool IsTcpOrUdp(uint64_t type, uint64_t protocol) {
  const uint64_t kind = type & ~uint64_t{SOCK_NONBLOCK | SOCK_CLOEXEC};
  return (kind == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) ||
         (kind == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP));
}

// A socket that glibc or a runtime tries by itself is refused without a report.
uint32_t AnswerToSocket(const std::string& step, uint64_t family, uint64_t type, uint64_t protocol) {
  if (family == AF_UNIX) {
    return UsesSockets(step) ? SECCOMP_RET_ALLOW : AnswerErrno(EAFNOSUPPORT);
  }
  if (step.find("-loopback_") != std::string::npos) {
    if (family == AF_NETLINK) {
      return AnswerErrno(EAFNOSUPPORT);
    }
    const bool internet = family == AF_INET || family == AF_INET6;
    return internet && IsTcpOrUdp(type, protocol) ? SECCOMP_RET_ALLOW : uint32_t{SECCOMP_RET_USER_NOTIF};
  }
  const bool tried = step.starts_with("java_") && (family == AF_INET || family == AF_INET6);
  return tried ? AnswerErrno(EAFNOSUPPORT) : uint32_t{SECCOMP_RET_USER_NOTIF};
}

// Of "PROFILE_STEP", where a step is run, compile, or terminal: run with a terminal.
SyscallFilter FilterOf(const ProfileSet& profiles, const std::string& name) {
  const size_t border = name.rfind('_');
  const Profile& profile = profiles.at(name.substr(0, border));
  const std::string step = name.substr(border + 1);
  if (step == "compile") {
    return profile.compile->filter;
  }
  return step == "terminal" ? profile.run.terminal_filter : profile.run.filter;
}

// Every filter that a shipped profile comes to, written down: each of these tests is a process of its own,
// and would otherwise begin by reading every profile. ThatListIsWhatTheProfilesComeTo holds it.
constexpr const char* kNames[] = {
    "bash_run",
    "bash_terminal",
    "c_compile",
    "c_run",
    "c_terminal",
    "cpp_compile",
    "cpp_run",
    "cpp_terminal",
    "go_compile",
    "go_run",
    "go_terminal",
    "java_compile",
    "java_run",
    "java_terminal",
    "lua_run",
    "lua_terminal",
    "native_run",
    "native_terminal",
    "node-loopback_run",
    "node-loopback_terminal",
    "node_run",
    "node_terminal",
    "perl_run",
    "perl_terminal",
    "php_run",
    "php_terminal",
    "python-loopback_run",
    "python-loopback_terminal",
    "python_run",
    "python_terminal",
    "ruby_run",
    "ruby_terminal",
    "rust_compile",
    "rust_run",
    "rust_terminal",
};

// A variant whose filter is that of the profile it extends has none of its own.
std::vector<std::string> NamesOf(const ProfileSet& profiles) {
  std::vector<std::string> names;
  for (const auto& [name, profile] : profiles) {
    std::vector<std::string> steps = {"_run"};
    if (profile.compile) {
      steps.emplace_back("_compile");
    }
    if (!profile.run.terminal_filter.rules.empty()) {
      steps.emplace_back("_terminal");
    }
    for (const std::string& step : steps) {
      const bool shared =
          !profile.variant_of.empty() &&
          SameRules(FilterOf(profiles, name + step), FilterOf(profiles, profile.variant_of + step));
      if (!shared) {
        names.push_back(name + step);
      }
    }
  }
  return names;
}

TEST(ShippedFiltersTest, ThatListIsWhatTheProfilesComeTo) {
  std::vector<std::string> names = NamesOf(ShippedProfiles());
  std::sort(names.begin(), names.end());
  std::vector<std::string> written(std::begin(kNames), std::end(kNames));
  std::sort(written.begin(), written.end());
  EXPECT_EQ(written, names);
}

TEST(ShippedFiltersTest, ThoseOfNetworksAndTerminalsAreAmongThem) {
  const std::vector<std::string> names(std::begin(kNames), std::end(kNames));
  for (const char* name :
       {"python_run", "python_terminal", "python-loopback_run", "node-loopback_run", "c_compile"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  EXPECT_EQ(std::count(names.begin(), names.end(), "cpp17_run"), 0) << "as cpp's";
}

TEST(ShippedFiltersTest, MakeFifosAndNoOtherNodes) {
  for (const auto& [name, profile] : ShippedProfiles()) {
    const CompiledFilter filter = Compiled(profile.run.filter);
    for (const uint64_t kind : {0x0U, 0x2000U, 0x4000U, 0x6000U, 0x8000U, 0xa000U, 0xc000U}) {
      EXPECT_EQ(Answer(filter, Number("mknodat"), {~0ULL, 0, kind | 0600}), SECCOMP_RET_USER_NOTIF) << name;
      EXPECT_EQ(Answer(filter, Number("mknod"), {0, kind | 0600}), SECCOMP_RET_USER_NOTIF) << name;
    }
  }
  const CompiledFilter bash = Compiled(ShippedProfiles().at("bash").run.filter);
  EXPECT_EQ(Answer(bash, Number("mknodat"), {~0ULL, 0, 0x11a4}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(bash, Number("mknod"), {0, 0x11a4}), SECCOMP_RET_ALLOW);
}

// "PROFILE_STEP", for every profile and step that ships.
class ShippedFilterTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    filter_ = FilterOf(ShippedProfiles(), GetParam());
    compiled_ = Compiled(filter_);
  }
  SyscallFilter filter_;
  CompiledFilter compiled_;
};

TEST_P(ShippedFilterTest, SaysWhatItsRulesSayForEveryNumberAndArgument) {
  const RulesByNumber rules = ByNumber(filter_);
  size_t compared = 0;
  for (int number = 0; number < kNumbers; ++number) {
    const auto of_number = rules.find(number);
    for (const SyscallArguments& arguments :
         Samples(of_number == rules.end() ? std::vector<const SyscallRule*>() : of_number->second)) {
      ASSERT_EQ(Answer(compiled_, number, arguments), Expected(rules, number, arguments))
          << SyscallName(number) << " " << arguments[0] << " " << arguments[1] << " " << arguments[2];
      ++compared;
    }
  }
  EXPECT_GT(compared, 5'000U);
}

TEST_P(ShippedFilterTest, OtherArchitecturesEndTheRunForEveryNumberAndArgument) {
  const RulesByNumber rules = ByNumber(filter_);
  for (int number = 0; number < kNumbers; ++number) {
    const auto of_number = rules.find(number);
    for (const SyscallArguments& arguments :
         Samples(of_number == rules.end() ? std::vector<const SyscallRule*>() : of_number->second)) {
      ASSERT_EQ(Answer(compiled_, number, arguments, kArchI386), SECCOMP_RET_USER_NOTIF) << number;
      ASSERT_EQ(Answer(compiled_, number | 0x40000000, arguments), SECCOMP_RET_USER_NOTIF) << number;
      ASSERT_EQ(Answer(compiled_, number, arguments, AUDIT_ARCH_AARCH64), SECCOMP_RET_USER_NOTIF) << number;
    }
  }
  EXPECT_EQ(compiled_.deny_answers.at(kI386Call), 255);
  EXPECT_EQ(compiled_.deny_answers.at(kX32Call), 255);
}

TEST_P(ShippedFilterTest, OnlyUnixSocketsAreAllowedIfAnyAndWithALoopbackTcpAndUdp) {
  const bool pairs = UsesSockets(GetParam()) || std::string(GetParam()) == "java_compile";
  for (uint64_t family = 0; family <= 45; ++family) {
    for (const uint64_t type :
         {0x1U, 0x2U, 0x3U, 0x4U, 0x5U, 0x6U, 0xaU, 0x801U, 0x80002U, 0x80801U, 0x80003U, 0x101U}) {
      for (const uint64_t protocol : {0U, 1U, 2U, 6U, 17U, 33U, 58U, 132U, 136U, 255U, 262U}) {
        const uint32_t expected = AnswerToSocket(GetParam(), family, type, protocol);
        EXPECT_EQ(Answer(compiled_, Number("socket"), {family, type, protocol}), expected)
            << family << " " << type << " " << protocol;
        EXPECT_EQ(Answer(compiled_, Number("socket"), {0xffffffff00000000U | family, type, protocol}),
                  expected)
            << family;
      }
      EXPECT_EQ(Answer(compiled_, Number("socketpair"), {family, type}),
                pairs && family == AF_UNIX ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF)
          << family;
    }
  }
  EXPECT_EQ(compiled_.deny_answers.at(static_cast<size_t>(Number("socket"))), EAFNOSUPPORT);
}

TEST_P(ShippedFilterTest, NoFlagOfCloneMakesANamespace) {
  constexpr uint64_t kFork = 0x01200011;
  constexpr uint64_t kThread = 0x003d0f00;
  EXPECT_EQ(Answer(compiled_, Number("clone"), {kFork}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(compiled_, Number("clone"), {kThread}), SECCOMP_RET_ALLOW);
  for (const uint64_t flag :
       {0x00020000U, 0x02000000U, 0x04000000U, 0x08000000U, 0x10000000U, 0x20000000U, 0x40000000U}) {
    EXPECT_EQ(Answer(compiled_, Number("clone"), {kFork | flag}), SECCOMP_RET_USER_NOTIF) << flag;
    EXPECT_EQ(Answer(compiled_, Number("clone"), {kThread | flag}), SECCOMP_RET_USER_NOTIF) << flag;
    EXPECT_EQ(Answer(compiled_, Number("clone"), {0xffffffff00000000U | kFork | flag}),
              SECCOMP_RET_USER_NOTIF)
        << flag;
  }
  EXPECT_EQ(Answer(compiled_, Number("clone3")), AnswerErrno(ENOSYS));
}

TEST_P(ShippedFilterTest, PipesCannotGrow) {
  EXPECT_EQ(Answer(compiled_, Number("fcntl"), {1, 1032}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(compiled_, Number("fcntl"), {1, 1031}), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(Answer(compiled_, Number("fcntl"), {1, 0x100000407}), SECCOMP_RET_USER_NOTIF);
}

TEST_P(ShippedFilterTest, NothingFlushesTheHostsDiskOrEvictsItsPages) {
  for (const char* name : {"fsync", "fdatasync", "sync_file_range"}) {
    EXPECT_EQ(Answer(compiled_, Number(name), {3}), AnswerErrno(0)) << name;
  }
  for (const uint64_t flags : {uint64_t{4}, uint64_t{6}, uint64_t{0x100000004}}) {
    EXPECT_EQ(Answer(compiled_, Number("msync"), {0, 4096, flags}), AnswerErrno(0)) << flags;
  }
  EXPECT_EQ(Answer(compiled_, Number("msync"), {0, 4096, 1}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(compiled_, Number("fadvise64"), {3, 0, 0, 4}), AnswerErrno(0));
  EXPECT_EQ(Answer(compiled_, Number("fadvise64"), {3, 0, 0, 2}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(Answer(compiled_, Number("sync")), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(Answer(compiled_, Number("readahead"), {3}), SECCOMP_RET_USER_NOTIF);
}

TEST_P(ShippedFilterTest, RecordLocksAreCountedAndLeasesRefused) {
  uint64_t expected = 0;
  for (const uint64_t command : {uint64_t{6}, uint64_t{7}, uint64_t{37}, uint64_t{38}}) {
    EXPECT_EQ(Answer(compiled_, Number("fcntl"), {3, command}), SECCOMP_RET_USER_NOTIF) << command;
    EXPECT_EQ(Answer(compiled_, Number("fcntl"), {3, 0x100000000U | command}), SECCOMP_RET_USER_NOTIF);
    expected |= uint64_t{1} << command;
  }
  EXPECT_EQ(compiled_.counted_fcntl, expected);
  EXPECT_EQ(Answer(compiled_, Number("fcntl"), {3, 1024}), SECCOMP_RET_USER_NOTIF);  // F_SETLEASE
}

TEST_P(ShippedFilterTest, NoReadGoesPastThePageCache) {
  constexpr uint64_t kDirect = 040000;
  for (const uint64_t flags : {uint64_t{0}, uint64_t{02}, uint64_t{0101}, uint64_t{02000000}}) {
    EXPECT_EQ(Answer(compiled_, Number("openat"), {3, 0, flags}), SECCOMP_RET_ALLOW) << flags;
    EXPECT_EQ(Answer(compiled_, Number("openat"), {3, 0, flags | kDirect}), AnswerErrno(EINVAL)) << flags;
    EXPECT_EQ(Answer(compiled_, Number("open"), {0, flags | kDirect}), AnswerErrno(EINVAL)) << flags;
    EXPECT_EQ(Answer(compiled_, Number("fcntl"), {3, 4, flags | kDirect}), AnswerErrno(EINVAL)) << flags;
  }
  EXPECT_EQ(Answer(compiled_, Number("fcntl"), {3, 4, 04000}), SECCOMP_RET_ALLOW);  // O_NONBLOCK
}

// TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD: with a terminal too, and compared as the kernel compares.
TEST_P(ShippedFilterTest, NobodyTypesForTheUserOrTakesTheConsole) {
  for (const uint64_t request : {0x5412U, 0x541cU, 0x541dU, 0x5423U}) {
    EXPECT_EQ(Answer(compiled_, Number("ioctl"), {0, request}), SECCOMP_RET_USER_NOTIF) << request;
    EXPECT_EQ(Answer(compiled_, Number("ioctl"), {0, 0x100000000U | request}), SECCOMP_RET_USER_NOTIF)
        << request;
  }
  const bool terminal = std::string(GetParam()).ends_with("_terminal");
  EXPECT_EQ(Answer(compiled_, Number("ioctl"), {0, 0x5402}),
            terminal ? SECCOMP_RET_ALLOW : uint32_t{SECCOMP_RET_USER_NOTIF});
}

TEST_P(ShippedFilterTest, SocketsTakeNoPrograms) {
  EXPECT_EQ(Answer(compiled_, Number("setsockopt"), {3, 1, 2}),
            UsesSockets(GetParam()) ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF);
  for (const uint64_t option : {26U, 50U, 51U, 52U}) {
    EXPECT_EQ(Answer(compiled_, Number("setsockopt"), {3, 1, option}), SECCOMP_RET_USER_NOTIF) << option;
  }
}

TEST_P(ShippedFilterTest, SocketsCarryNothingOutOfBand) {
  constexpr uint64_t kHigh = uint64_t{1} << 32U;
  const uint32_t allowed = UsesSockets(GetParam()) ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF;
  const std::vector<std::pair<const char*, size_t>> calls = {
      {"sendto", 3}, {"sendmsg", 2}, {"sendmmsg", 3}, {"recvfrom", 3}, {"recvmsg", 2}, {"recvmmsg", 3}};
  for (const auto& [name, index] : calls) {
    SyscallArguments arguments{3, 1, 1, 1, 1, 1};
    for (const uint64_t flags : {uint64_t{0}, uint64_t{MSG_DONTWAIT | MSG_PEEK}, kHigh | MSG_NOSIGNAL}) {
      arguments.at(index) = flags;
      EXPECT_EQ(Answer(compiled_, Number(name), arguments), allowed) << name << " " << flags;
      arguments.at(index) = flags | MSG_OOB;
      EXPECT_EQ(Answer(compiled_, Number(name), arguments), SECCOMP_RET_USER_NOTIF) << name << " " << flags;
    }
    EXPECT_EQ(compiled_.deny_answers.at(static_cast<size_t>(Number(name))),
              UsesSockets(GetParam()) ? EOPNOTSUPP : 0)
        << name;
  }
  EXPECT_EQ(Answer(compiled_, Number("setsockopt"), {3, SOL_SOCKET, SO_OOBINLINE}), SECCOMP_RET_USER_NOTIF);
}

TEST_P(ShippedFilterTest, EscapeAttemptsEndTheRun) {
  for (const char* name :
       {"ptrace", "mount", "umount2", "pivot_root", "chroot", "setns", "bpf", "keyctl", "init_module",
        "kexec_load", "process_vm_readv", "open_by_handle_at", "move_mount", "reboot"}) {
    EXPECT_EQ(Answer(compiled_, Number(name)), SECCOMP_RET_USER_NOTIF) << name;
    EXPECT_EQ(compiled_.deny_answers.at(static_cast<size_t>(Number(name))), 255) << name;
  }
}

TEST_P(ShippedFilterTest, WhatNobodyNamesIsReportedAndRefused) {
  for (const char* name :
       {"unshare", "memfd_create", "execveat", "shmget", "semget", "mq_open", "setuid", "mknodat", "mlock",
        "sync", "seccomp", "syslog", "sched_setscheduler", "rt_sigqueueinfo"}) {
    EXPECT_EQ(Answer(compiled_, Number(name)), SECCOMP_RET_USER_NOTIF) << name;
    EXPECT_EQ(compiled_.deny_answers.at(static_cast<size_t>(Number(name))), 0) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, ShippedFilterTest, testing::ValuesIn(std::begin(kNames), std::end(kNames)),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace caisson::policy
