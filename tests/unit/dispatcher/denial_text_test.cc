#include "dispatcher/denial_text.h"

#include <asm/unistd_64.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sys/socket.h>

#include <array>

#include "dispatcher/denial_log.h"
#include "ipc/run_streams.h"

namespace caisson::dispatcher {
namespace {

using Args = std::array<uint64_t, kSyscallArguments>;
using Texts = std::vector<std::string>;

struct DecodeCase {
  int number;
  Args args;
  Texts expected;
};

TEST(DenialTextTest, ArgumentsThatMatterAreNamed) {
  const std::vector<DecodeCase> cases = {
      {__NR_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 6}, {"AF_INET", "SOCK_STREAM|SOCK_CLOEXEC", "6"}},
      {__NR_socket, {AF_NETLINK, SOCK_RAW, 0}, {"AF_NETLINK", "SOCK_RAW", "0"}},
      {__NR_socket, {77, 99, 0x10000}, {"0x4d", "0x63", "0x10000"}},
      {__NR_socketpair,
       {AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK},
       {"AF_INET6", "SOCK_DGRAM|SOCK_NONBLOCK", "0"}},
      {__NR_clone, {CLONE_NEWUSER | CLONE_NEWNET | 17}, {"CLONE_NEWUSER|CLONE_NEWNET"}},
      {__NR_unshare, {CLONE_NEWNS}, {"CLONE_NEWNS"}},
      {__NR_unshare, {0x80}, {"0x80"}},
      {__NR_setns, {5, CLONE_NEWPID}, {"CLONE_NEWPID"}},
      {__NR_setns, {5, 0}, {"0"}},
      {__NR_fcntl, {3, 1031, 1 << 20}, {"F_SETPIPE_SZ"}},
      {__NR_ioctl, {0, 0x5412, 0x7ffe0000}, {"TIOCSTI"}},
      {__NR_ioctl, {0, 0x80045430, 0x7ffe0000}, {"TIOCGPTN"}},
      {__NR_ioctl, {0, 0x12345678, 0}, {"0x12345678"}},
      {__NR_prctl, {8}, {"PR_SET_KEEPCAPS"}},
      {__NR_ptrace, {16, 42}, {"PTRACE_ATTACH"}},
      {__NR_madvise, {0, 4096, 12}, {"MADV_MERGEABLE"}},
      {__NR_mknodat, {0, 0, 0x2000 | 0666}, {"S_IFCHR"}},
      {__NR_setsockopt, {3, SOL_SOCKET, 26}, {"SOL_SOCKET", "0x1a"}},
      {__NR_sendto, {3, 0, 1, MSG_OOB | MSG_NOSIGNAL}, {"MSG_OOB|MSG_NOSIGNAL"}},
      {__NR_recvmsg, {3, 0, MSG_OOB}, {"MSG_OOB"}},
      {__NR_mount, {1, 2, 3}, {}},
      {__NR_openat, {1, 2, 3}, {}},
      {-1, {AF_INET}, {}},
  };
  for (const DecodeCase& test : cases) {
    EXPECT_EQ(DescribeDenial(test.number, test.args).arguments, test.expected) << test.number;
  }
}

TEST(DenialTextTest, OnlyTheHalfThatTheKernelReadsIsShown) {
  EXPECT_EQ(DescribeDenial(__NR_socket, Args{0xdead00000002, 0xbeef00000001, 0xffff00000000}).arguments,
            (Texts{"AF_INET", "SOCK_STREAM", "0"}));
}

TEST(DenialTextTest, WhateverTheNumbersAreTheTextIsShortAndPrintable) {
  for (int number = -1; number < 1024; ++number) {
    for (const uint64_t value :
         {uint64_t{0}, ~uint64_t{0}, uint64_t{0x7fffffff}, uint64_t{0x8000000000000000}}) {
      const DenialText text = DescribeDenial(number, Args{value, value, value, value, value, value});
      EXPECT_LE(text.arguments.size(), 3U) << number;
      for (const std::string& argument : text.arguments) {
        EXPECT_FALSE(argument.empty()) << number;
        EXPECT_LE(argument.size(), kMaxDecodedBytes) << number;
        for (const char c : argument) {
          EXPECT_TRUE(c > ' ' && c <= '~') << number;
        }
      }
      EXPECT_FALSE(text.explanation.empty()) << number;
      EXPECT_LE(text.explanation.size(), 256U) << number;
      EXPECT_EQ(text.explanation.back(), '.') << number;
    }
  }
}

TEST(DenialTextTest, TheAdviceFitsTheCall) {
  const auto advice = [](int number, Args args) { return DescribeDenial(number, args).explanation; };
  EXPECT_NE(advice(__NR_socket, {AF_INET}).find("no network"), std::string::npos);
  EXPECT_NE(advice(__NR_socket, {AF_VSOCK}).find("AF_UNIX"), std::string::npos);
  EXPECT_NE(advice(__NR_fcntl, {3, 6}).find("record locks"), std::string::npos);
  EXPECT_NE(advice(__NR_fcntl, {3, 38}).find("record locks"), std::string::npos);
  EXPECT_NE(advice(__NR_fcntl, {3, 1031}).find("Pipes"), std::string::npos);
  EXPECT_NE(advice(__NR_sendmmsg, {3, 0, 1, MSG_OOB}).find("Out-of-band"), std::string::npos);
  EXPECT_NE(advice(__NR_sendmmsg, {3, 0, 1, 0}).find("profile explain"), std::string::npos);
  EXPECT_NE(advice(__NR_unshare, {CLONE_NEWUSER}).find("no-sandbox"), std::string::npos);
  EXPECT_NE(advice(__NR_ptrace, {}).find("debuggers"), std::string::npos);
  EXPECT_NE(advice(wire::kX32Call, {}).find("x86-64"), std::string::npos);
  EXPECT_NE(advice(-1, {}).find("More different calls"), std::string::npos);
  EXPECT_NE(advice(600, {}).find("profile explain"), std::string::npos);
}

TEST(DenialTextTest, TheApiCarriesBothTexts) {
  wire::Event event{};
  event.type = wire::EventType::kDenial;
  event.syscall_number = __NR_socket;
  event.count = 1;
  event.args[0] = AF_INET;
  event.args[1] = SOCK_DGRAM;
  const v1::Denial denial = DenialToProto(ipc::Step::kRun, event);
  ASSERT_EQ(denial.decoded_args_size(), 3);
  EXPECT_EQ(denial.decoded_args(0), "AF_INET");
  EXPECT_EQ(denial.decoded_args(1), "SOCK_DGRAM");
  EXPECT_NE(denial.explanation().find("no network"), std::string::npos);
}

}  // namespace
}  // namespace caisson::dispatcher
