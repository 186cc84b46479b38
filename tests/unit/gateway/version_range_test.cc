// Debian's versions, and npm's ranges of them.
#include "gateway/version_range.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::gateway {
namespace {

TEST(VersionRangeTest, DebianVersionsHaveThreeNumbers) {
  struct Case {
    const char* debian;
    const char* text;
  };
  for (const Case& one :
       {Case{"3.11.2-1+b1", "3.11.2"}, Case{"4:12.2.0-3", "12.2.0"}, Case{"2:8.2+93", "8.2.0"},
        Case{"1.63.0+dfsg1-2", "1.63.0"}, Case{"2:1.19~1", "1.19.0"}, Case{"20.20.2-1nodesource1", "20.20.2"},
        Case{"5.2.15.1-2", "5.2.15"}, Case{"", "0.0.0"}, Case{"x", "0.0.0"}, Case{"1.", "1.0.0"},
        Case{"99999999999.1", "0.0.0"}}) {
    EXPECT_EQ(VersionText(VersionOf(one.debian)), one.text) << one.debian;
  }
}

TEST(VersionRangeTest, RangesAreThoseOfNpm) {
  const Version version = {3, 11, 2};
  for (const char* range : {"*",          "x",          "",
                            "3",          "3.x",        "3.x.x",
                            "3.11",       "3.11.x",     "3.11.2",
                            "v3.11.2",    "=3.11.2",    "^3.2",
                            "^3.11.2",    "~3.11",      "~3.11.1",
                            "~3",         "~>3.11",     ">=3",
                            ">3.10",      "> 3.10",     ">=3.0.0 <4.0.0",
                            ">= 3 < 4",   "<4",         "<=3.11",
                            "<=3",        "3.0 - 3.12", "3 - 3",
                            "1.x || 3.x", "4||3",       "3.11.2+build",
                            " 3.11.2 "}) {
    EXPECT_TRUE(IsInRange(version, range)) << range;
  }
  for (const char* range :
       {"4",     "3.10",   "3.11.3",   "2.x",         "^4",       "^3.12",       "~3.10", "~2",
        ">3",    ">3.11",  ">3.11.2",  "<3",          "<3.11.2",  "<=3.10",      ">*",    "<*",
        "1 - 2", "1 || 2", "latest",   "3.11.2-beta", "3.11.2.1", "3..2",        "3.",    ".",
        ">",     ">=",     "3.11.2 4", "=>3",         "^",        "99999999999", "-1",    "3,11"}) {
    EXPECT_FALSE(IsInRange(version, range)) << range;
  }
  EXPECT_FALSE(IsInRange(version, std::string(300, '3')));
}

TEST(VersionRangeTest, CaretsKeepTheFirstNumberThatIsNotZero) {
  EXPECT_TRUE(IsInRange({0, 2, 9}, "^0.2.3"));
  EXPECT_FALSE(IsInRange({0, 3, 0}, "^0.2.3"));
  EXPECT_TRUE(IsInRange({0, 0, 3}, "^0.0.3"));
  EXPECT_FALSE(IsInRange({0, 0, 4}, "^0.0.3"));
  EXPECT_TRUE(IsInRange({0, 9, 9}, "^0"));
  EXPECT_TRUE(IsInRange({7, 0, 0}, "^*"));
}

}  // namespace
}  // namespace caisson::gateway
