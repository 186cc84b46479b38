#include "policy/toolchain.h"

#include <gtest/gtest.h>

namespace caisson::policy {
namespace {

TEST(ToolchainTest, TheReasonNamesThePackage) {
  Profile profile;
  EXPECT_EQ(UnavailableReason(profile), "");
  profile.toolchain_probe = "/nonexistent/node";
  EXPECT_EQ(UnavailableReason(profile), "/nonexistent/node is missing");
  profile.toolchain_package = "nodejs";
  EXPECT_EQ(UnavailableReason(profile), "package nodejs is not installed (/nonexistent/node is missing)");
  profile.toolchain_probe = "/bin/sh";
  EXPECT_EQ(UnavailableReason(profile), "");
}

TEST(ToolchainTest, ALibraryIsThereWhereItsProbeIs) {
  EXPECT_EQ(UnavailableReason(Library{"python3-numpy", "/nonexistent/numpy"}),
            "package python3-numpy is not installed (/nonexistent/numpy is missing)");
  EXPECT_EQ(UnavailableReason(Library{"python3-numpy", "/usr"}), "");
}

TEST(ToolchainTest, PackageNamesCannotBeTakenForAnythingElse) {
  for (const char* name : {"g++", "nodejs", "lua5.4", "libstdc++-12-dev", "0ad"}) {
    EXPECT_TRUE(IsPackageName(name)) << name;
  }
  for (const char* name :
       {"", "a", "nodejs-", "--purge", "-y", "+x", "./x.deb", "a b", "A", "a/b", "a=1", "a*"}) {
    EXPECT_FALSE(IsPackageName(name)) << name;
  }
}

}  // namespace
}  // namespace caisson::policy
