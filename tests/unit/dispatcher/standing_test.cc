// Which group a connection counts in, and what its calls' tokens make of that.
#include "dispatcher/standing.h"

#include <gtest/gtest.h>

namespace caisson::dispatcher {
namespace {

const Caller kAlpha{TenantId("alpha"), Role::kRun};
const Caller kBeta{TenantId("beta"), Role::kRun};
const Caller kByToken{TenantId(""), Role::kByToken};

TEST(StandingTest, AListenersTenantIsTheGroup) {
  EXPECT_EQ(Standing(kAlpha).group(), Standing(Caller{TenantId("alpha"), Role::kObserve}).group());
  EXPECT_NE(Standing(kAlpha).group(), Standing(kBeta).group());
  EXPECT_NE(Standing(Caller{TenantId(""), Role::kOperator}).group(),
            Standing(Caller{TenantId(""), Role::kAdmin}).group());
  EXPECT_FALSE(Standing(kAlpha).is_strangers());
}

TEST(StandingTest, WhoHasShownNoTokenIsAStranger) {
  const Standing one(kByToken);
  EXPECT_TRUE(one.is_strangers());
  EXPECT_EQ(one.group(), Standing(kByToken).group());
}

TEST(StandingTest, AValidTokenMakesItItsTenants) {
  Standing one(kByToken);
  one.Note(kAlpha);
  one.Note(kAlpha);
  Standing other(kByToken);
  other.Note(kAlpha);
  EXPECT_FALSE(one.is_strangers());
  EXPECT_EQ(one.group(), other.group());
  EXPECT_NE(one.group(), Standing(kAlpha).group());  // who comes through a socket of alpha's own
}

TEST(StandingTest, TokensOfTwoTenantsMakeItNeithers) {
  Standing gateway(kByToken);
  gateway.Note(kAlpha);
  Standing alphas(kByToken);
  alphas.Note(kAlpha);
  gateway.Note(kBeta);
  gateway.Note(kAlpha);
  EXPECT_NE(gateway.group(), alphas.group());
  EXPECT_FALSE(gateway.is_strangers());
}

}  // namespace
}  // namespace caisson::dispatcher
