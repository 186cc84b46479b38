#include "policy/layout_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace caisson::policy {
namespace {

TEST(LayoutCheckTest, PlainAbsolutePaths) {
  for (const char* path : {"/usr", "/etc/ld.so.cache", "/a/..b", "/a/.b"}) {
    EXPECT_TRUE(IsPlainAbsolutePath(path)) << path;
  }
  for (const char* path :
       {"", "/", "usr", "/usr/", "//usr", "/usr//lib", "/usr/../etc", "/usr/..", "/./usr", "/usr/."}) {
    EXPECT_FALSE(IsPlainAbsolutePath(path)) << path;
  }
  EXPECT_FALSE(IsPlainAbsolutePath("/" + std::string(2000, 'x')));
}

StepSource WithMount(const std::string& target) {
  StepSource step;
  step.mounts.push_back({{"/usr", target, true, false, "w"}, {"f", 1, "mounts[0]"}});
  return step;
}

std::vector<std::string> Complaints(const StepSource& step) {
  std::vector<std::string> complaints;
  CheckLayout(step, complaints);
  return complaints;
}

TEST(LayoutCheckTest, OrdinaryRootsAreFine) {
  StepSource step = WithMount("/usr");
  step.symlinks.push_back({{"/bin", "usr/bin"}, {"f", 2, "symlinks[0]"}});
  step.files.push_back({{"/etc/passwd", "x"}, {"f", 3, "files[0]"}});
  EXPECT_TRUE(Complaints(step).empty());
}

TEST(LayoutCheckTest, WhatCaissonMakesIsReserved) {
  for (const char* path :
       {"/box", "/box/x", "/tmp", "/dev", "/dev/null", "/proc", "/proc/sys", "/.caisson-landlock-probe"}) {
    EXPECT_EQ(
        Complaints(WithMount(path)),
        (std::vector<std::string>{"f:1: mounts[0].target: " + std::string(path) + " belongs to Caisson"}));
  }
  EXPECT_TRUE(Complaints(WithMount("/boxes")).empty());
}

TEST(LayoutCheckTest, PathsAreMadeOnce) {
  StepSource step = WithMount("/usr");
  step.symlinks.push_back({{"/usr", "x"}, {"f", 2, "symlinks[0]"}});
  EXPECT_EQ(Complaints(step),
            (std::vector<std::string>{"f:2: symlinks[0].path: /usr is already made at f:1"}));
}

TEST(LayoutCheckTest, NothingIsWrittenThroughABindOrASymlink) {
  StepSource step = WithMount("/usr");
  step.symlinks.push_back({{"/lib", "usr/lib"}, {"f", 2, "symlinks[0]"}});
  step.files.push_back({{"/usr/local/evil", "x"}, {"f", 3, "files[0]"}});
  step.files.push_back({{"/lib/evil", "x"}, {"f", 4, "files[1]"}});
  EXPECT_EQ(Complaints(step),
            (std::vector<std::string>{"f:4: files[1].path: /lib/evil lies inside /lib, made at f:2",
                                      "f:3: files[0].path: /usr/local/evil lies inside /usr, made at f:1"}));
}

TEST(LayoutCheckTest, SourcesArePlainPathsToo) {
  StepSource step = WithMount("/usr");
  step.mounts[0].value.source = "/usr/../etc";
  EXPECT_EQ(Complaints(step),
            (std::vector<std::string>{"f:1: mounts[0]: source '/usr/../etc' must be a plain absolute path"}));
}

}  // namespace
}  // namespace caisson::policy
