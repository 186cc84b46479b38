#include "policy/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policy/profile_loader.h"

namespace caisson::policy {
namespace {

TEST(NearestTest, EditDistanceCountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("python", "pyton"), 1U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
}

TEST(NearestTest, AHugeNameCostsLittle) {
  const std::string huge(1'000'000, 'x');
  EXPECT_EQ(EditDistance(huge, "y"), 64U);
}

TEST(NearestTest, BestComesFirst) {
  const std::vector<std::string> known = {"bash", "python", "pypy", "native"};
  ASSERT_FALSE(NearestOf(known, "pyton", 3).empty());
  EXPECT_EQ(NearestOf(known, "pyton", 3).front(), "python");
  EXPECT_EQ(NearestOf(known, "python3", 1), (std::vector<std::string>{"python"}));
  EXPECT_TRUE(NearestOf(known, "cobol85", 3).empty());
}

TEST(NearestTest, AtMostThreeProfiles) {
  ProfileSet profiles;
  for (const char* name : {"python1", "python2", "python3", "python4", "zig"}) {
    profiles[name] = Profile();
  }
  EXPECT_EQ(NearestNames(profiles, "python"), (std::vector<std::string>{"python1", "python2", "python3"}));
}

TEST(NearestTest, SuggestionIsASentenceOrNothing) {
  EXPECT_EQ(DidYouMean({"name"}, "nmae"), "; did you mean 'name'?");
  EXPECT_EQ(DidYouMean({"name"}, "q"), "");
}

}  // namespace
}  // namespace caisson::policy
