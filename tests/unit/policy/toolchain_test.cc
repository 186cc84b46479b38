#include "policy/toolchain.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/unique_fd.h"
#include "policy_support.h"

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

TEST(ToolchainTest, InAnImageALinkNeverLeadsToTheHost) {
  const TemporaryDirectory image;
  std::filesystem::create_directories(image.path() + "/usr/bin");
  std::filesystem::create_symlink("/bin/sh", image.path() + "/usr/bin/tool");
  const UniqueFd root(open(image.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Profile profile;
  profile.image = RootImage{image.path(), "", ""};
  profile.toolchain_probe = "/usr/bin/tool";
  EXPECT_EQ(UnavailableReason(profile, root.get()), "/usr/bin/tool is missing in the image");
  profile.toolchain_package = "tool";
  EXPECT_EQ(UnavailableReason(profile, root.get()),
            "package tool is not in the image (/usr/bin/tool is missing)");
  std::filesystem::create_directories(image.path() + "/bin");
  image.Write("bin/sh", "");
  EXPECT_EQ(UnavailableReason(profile, root.get()), "");
  EXPECT_EQ(UnavailableReason(Library{"l", "/usr/lib/l"}, root.get()),
            "package l is not in the image (/usr/lib/l is missing)");
}

TEST(ToolchainTest, FromOutsideOnlyTheImageItselfIsLookedFor) {
  Profile profile;
  profile.toolchain_probe = "/nonexistent/node";
  profile.image = RootImage{"/nonexistent/image", "", ""};
  EXPECT_EQ(UnavailableReason(profile), "the image /nonexistent/image is missing");
  profile.image->path = "/bin/sh";
  EXPECT_EQ(UnavailableReason(profile), "");
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
