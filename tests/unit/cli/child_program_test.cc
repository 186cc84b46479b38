#include "cli/child_program.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "common/status.h"

namespace caisson::cli {
namespace {

ChildProgram Shell(const std::string& script) {
  ChildProgram program;
  program.command = {"/bin/sh", "-c", script};
  program.output_to = ChildOutput::kNowhere;
  return program;
}

TEST(ChildProgramTest, TellsTheExitCode) {
  EXPECT_EQ(RunToItsEnd(Shell("exit 7")).value(), 7);
  EXPECT_EQ(RunToItsEnd(Shell("exit 0")).value(), 0);
}

TEST(ChildProgramTest, AProgramThatIsNotThereIs125) {
  ChildProgram program;
  program.command = {"/nonexistent/program"};
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunToItsEnd(program).value(), 125);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "caisson: /nonexistent/program: No such file or directory\n");
}

TEST(ChildProgramTest, ItGetsNoOtherEnvironment) {
  ASSERT_EQ(setenv("CAISSON_TEST_SECRET", "x", 1), 0);
  ChildProgram program = Shell("env -u PWD -u SHLVL -u _ env | sort");
  program.environment = {"A=1"};
  std::string output;
  program.output = &output;
  EXPECT_EQ(RunToItsEnd(program).value(), 0);
  EXPECT_EQ(output,
            "A=1\nDEBIAN_FRONTEND=noninteractive\n"
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
}

TEST(ChildProgramTest, SignalsHaveTheirDefaultAction) {
  signal(SIGPIPE, SIG_IGN);
  const HeldSignals held;
  // Of the first 31. Two after them are the C library's own, which nobody can set, and which a starter that
  // is not of this library may have ignored.
  ChildProgram program =
      Shell("sed -nE 's/^(Sig(Blk|Ign)):.*(.{8})$/\\1 \\3/p' /proc/self/status | sed 's/ 8/ 0/'");
  std::string output;
  program.output = &output;
  EXPECT_EQ(RunToItsEnd(program).value(), 0);
  signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(output, "SigBlk 00000000\nSigIgn 00000000\n");
}

TEST(ChildProgramTest, ASignalThatEndsItIsNamed) {
  const absl::Status status = RunToItsEnd(Shell("kill -SEGV $$")).status();
  EXPECT_EQ(Message(status), "sh did not end by itself: Segmentation fault");
}

TEST(ChildProgramTest, MoreOutputThanFitsIsAnErrorAndReadToItsEnd) {
  ChildProgram program = Shell("head -c 70000000 /dev/zero; echo done >&2");
  std::string output;
  program.output = &output;
  testing::internal::CaptureStderr();
  EXPECT_TRUE(absl::IsOutOfRange(RunToItsEnd(program).status()));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "done\n");
  EXPECT_LE(output.size(), 64U << 20U);
}

TEST(ChildProgramTest, AnInterruptIsPassedOnAndTold) {
  const HeldSignals held;
  // It waits for what the signal does; without it, for a time that the test would not survive.
  ChildProgram program = Shell("trap 'exit 3' TERM; kill -TERM " + std::to_string(getpid()) +
                               "; i=0; while [ $i -lt 3600 ]; do sleep 1; i=$((i + 1)); done");
  const absl::Status status = RunToItsEnd(program).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << Message(status);
}

TEST(ChildProgramTest, WhatItMountsGoesWithIt) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  std::string directory = "/tmp/caisson-child-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  ChildProgram program = Shell("mount -t tmpfs tmpfs " + directory + " && echo x > " + directory + "/file");
  program.private_mounts = true;
  EXPECT_EQ(RunToItsEnd(program).value(), 0);
  EXPECT_NE(access((directory + "/file").c_str(), F_OK), 0);
  EXPECT_EQ(rmdir(directory.c_str()), 0) << "nothing is mounted there";
}

}  // namespace
}  // namespace caisson::cli
