#include "dispatcher/profile_catalog.h"

#include <gtest/gtest.h>

#include "dispatcher/test_profiles.h"

namespace caisson::dispatcher {
namespace {

TEST(ProfileCatalogTest, ReadsVersionsOfInstalledPackagesOnly) {
  const auto versions = ParsePackageVersions(
      "Package: python3\nStatus: install ok installed\nDepends: x\nVersion: 3.11.2-1+b1\nDescription: a\n "
      "Version: 9\n"
      "\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1.0\n"
      "\nPackage: last\nStatus: install ok installed\nVersion: 2");
  EXPECT_EQ(versions, (std::map<std::string, std::string>{{"python3", "3.11.2-1+b1"}, {"last", "2"}}));
}

TEST(ProfileCatalogTest, AMissingToolchainMakesAProfileUnavailable) {
  const ProfileCatalog catalog = TestCatalog();
  EXPECT_TRUE(catalog.Find("python")->unavailable_reason.empty());
  EXPECT_EQ(catalog.Find("cobol")->unavailable_reason,
            "package gnucobol4 is not installed (/nonexistent/cobc is missing)");
  EXPECT_EQ(catalog.Find("fortran"), nullptr);
}

}  // namespace
}  // namespace caisson::dispatcher
