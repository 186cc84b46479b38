#include "policy/explain.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "policy_support.h"

namespace caisson::policy {
namespace {

std::string Python() { return ExplainProfile(ShippedProfiles().at("python")); }

bool HasLine(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(ExplainTest, TellsCommandEnvironmentRootAndLimits) {
  const std::string text = Python();
  EXPECT_TRUE(text.starts_with("python: Python 3\n"));
  EXPECT_TRUE(text.ends_with("\n"));
  EXPECT_TRUE(HasLine(text, "available where /usr/bin/python3 exists (Debian package python3)"));
  EXPECT_TRUE(HasLine(text, "  command: /usr/bin/python3 {main}"));
  EXPECT_TRUE(HasLine(text, "  network: none, not even loopback"));
  EXPECT_TRUE(HasLine(text, "  /box, /tmp and /dev/shm: writable, nothing there may be executed"));
  EXPECT_TRUE(HasLine(text, "    HOME=/box"));
  EXPECT_TRUE(HasLine(text, "    /bin                      -> usr/bin"));
  EXPECT_TRUE(HasLine(text, "    pids                      64            512"));
}

TEST(ExplainTest, UnusualThingsComeWithTheirReason) {
  const std::string text = Python();
  EXPECT_NE(
      text.find(
          "    PYTHONUSERBASE=/etc/python-user  # a .pth file there makes standard output line-buffered"),
      std::string::npos);
  EXPECT_NE(text.find("    /usr                      the host's own, executable  # programs, libraries"),
            std::string::npos);
}

TEST(ExplainTest, EverySyscallIsTold) {
  const Profile profile = ShippedProfiles().at("python");
  const std::string text = ExplainProfile(profile);
  for (const SyscallRule& rule : profile.run.filter.rules) {
    EXPECT_NE(text.find("\n    " + rule.syscall + " "), std::string::npos) << rule.syscall;
    EXPECT_NE(text.find("  # " + rule.why + "\n"), std::string::npos) << rule.why;
  }
}

TEST(ExplainTest, OutcomesReadAsSentences) {
  const std::string text = Python();
  EXPECT_NE(text.find("    socket                    allowed when arg0 == 0x1  # "), std::string::npos);
  EXPECT_NE(text.find("    socket                    fails with EAFNOSUPPORT, reported otherwise  # "),
            std::string::npos);
  EXPECT_NE(text.find("    clone3                    fails with ENOSYS, not reported  # "),
            std::string::npos);
  EXPECT_NE(text.find("    ptrace                    ends the run as SYSCALL_VIOLATION  # "),
            std::string::npos);
  EXPECT_NE(text.find("    prctl                     allowed when arg0 == 0xf or arg0 == 0x10  # "),
            std::string::npos);
}

TEST(ExplainTest, ACompileStepTellsItsOutputs) {
  Profile profile = ShippedProfiles().at("native");
  profile.compile = profile.run;
  profile.compile->command = {"/usr/bin/cc", "{sources}"};
  profile.compile->outputs = {"main", "lib"};
  const std::string text = ExplainProfile(profile);
  EXPECT_TRUE(HasLine(text, "  command: /usr/bin/cc {sources}\n  outputs, for the run step: main lib"));
  EXPECT_EQ(text.find("outputs"), text.rfind("outputs"));
}

TEST(ExplainTest, ATerminalsCallsAreToldApart) {
  const std::string text = Python();
  EXPECT_TRUE(HasLine(text, "  terminal: for runs that ask for one, of their own"));
  const size_t besides = text.find("  syscalls besides, in a run with a terminal\n");
  ASSERT_NE(besides, std::string::npos);
  EXPECT_EQ(text.find("0x5402"), text.find("0x5402", besides));
  Profile profile = ShippedProfiles().at("python");
  profile.run.terminal_filter.rules.clear();
  EXPECT_EQ(ExplainProfile(profile).find("terminal:"), std::string::npos);
}

TEST(ExplainTest, ControlCharactersDoNotReachTheTerminal) {
  Profile profile = ShippedProfiles().at("native");
  profile.display_name = "x\x1b[31m\ny";
  EXPECT_TRUE(ExplainProfile(profile).starts_with("native: x?[31m\\ny\n"));
}

}  // namespace
}  // namespace caisson::policy
