// What a call's metadata says of its caller: which tokens hold, and the reason of every refusal.
#include "dispatcher/tenancy/authentication.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kNow = 1'800'000'000;
constexpr int64_t kSecondNs = 1'000 * kNanosPerMilli;

policy::TokenEntry EntryOf(const std::string& token, const std::string& tenant, policy::TokenRole role,
                           int64_t expires) {
  policy::TokenEntry entry;
  entry.id = policy::TokenIdOf(token).value_or("");
  entry.digest = policy::DigestOfToken(token);
  entry.tenant = tenant;
  entry.role = role;
  entry.expires = expires;
  return entry;
}

class AuthenticationTest : public testing::Test {
 protected:
  // "valid TENANT/ROLE", or the reason.
  std::string Try(const std::vector<std::string>& headers, int64_t now = kNow) const {
    std::multimap<grpc::string_ref, grpc::string_ref> metadata;
    metadata.emplace("x-other", "Bearer nothing");
    for (const std::string& header : headers) {
      metadata.emplace(kAuthorizationKey, grpc::string_ref(header.data(), header.size()));
    }
    Caller caller{TenantId("untouched"), Role::kByToken};
    const std::optional<Reason> refused = Authenticate(metadata, table_, now, caller);
    if (refused.has_value()) {
      EXPECT_EQ(caller.tenant.name(), "untouched");
      EXPECT_EQ(caller.role, Role::kByToken);
      return InfoOf(*refused).name;
    }
    return "valid " + caller.tenant.name() + "/" + RoleName(caller.role);
  }
  const std::string alpha_ = policy::MakeToken();
  const std::string watch_ = policy::MakeToken();
  const std::string old_ = policy::MakeToken();
  const TokenTable table_{
      std::vector<policy::TokenEntry>{EntryOf(alpha_, "alpha", policy::TokenRole::kRun, kNow + 1),
                                      EntryOf(watch_, "beta", policy::TokenRole::kObserve, kNow + 1),
                                      EntryOf(old_, "alpha", policy::TokenRole::kRun, kNow)}};
};

TEST_F(AuthenticationTest, TokenSaysTenantAndRole) {
  EXPECT_EQ(Try({"Bearer " + alpha_}), "valid alpha/run");
  EXPECT_EQ(Try({"bearer " + watch_}), "valid beta/observe");
  EXPECT_EQ(Try({"BEARER " + watch_}), "valid beta/observe");
}

TEST_F(AuthenticationTest, WithoutTheHeaderItIsMissing) { EXPECT_EQ(Try({}), "TOKEN_MISSING"); }

TEST_F(AuthenticationTest, WhatIsNoTokenIsMalformed) {
  const std::vector<std::string> wrong = {"",
                                          "Bearer",
                                          "Bearer ",
                                          alpha_,
                                          "Basic " + alpha_,
                                          "Bearer  " + alpha_,
                                          "Bearer\t" + alpha_,
                                          " Bearer " + alpha_,
                                          "Bearer " + alpha_ + " ",
                                          "Bearer " + alpha_ + "," + alpha_,
                                          "Bearer " + alpha_.substr(0, alpha_.size() - 1),
                                          "Bearer " + std::string(kMaxAuthorizationBytes, 'a'),
                                          "Bearer " + alpha_ + std::string(1, '\0'),
                                          std::string(10'000, 'a')};
  for (const std::string& header : wrong) {
    EXPECT_EQ(Try({header}), "TOKEN_MALFORMED") << header;
  }
  EXPECT_EQ(Try({"Bearer " + alpha_, "Bearer " + alpha_}), "TOKEN_MALFORMED");
  EXPECT_EQ(Try({"Bearer " + alpha_, ""}), "TOKEN_MALFORMED");
}

TEST_F(AuthenticationTest, UnknownAndWrongTokensAreTheSame) {
  std::string wrong = alpha_;
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  // The id of one, the secret of another.
  const std::string mixed = alpha_.substr(0, 21) + watch_.substr(21);
  for (const std::string& token : {wrong, mixed, policy::MakeToken()}) {
    EXPECT_EQ(Try({"Bearer " + token}), "TOKEN_NOT_VALID");
  }
  // A wrong one that would have expired is not told so.
  std::string old = old_;
  old.back() = old.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(Try({"Bearer " + old}), "TOKEN_NOT_VALID");
}

TEST_F(AuthenticationTest, ExpiryIsTheFirstSecondOfRefusal) {
  EXPECT_EQ(Try({"Bearer " + old_}), "TOKEN_EXPIRED");
  EXPECT_EQ(Try({"Bearer " + old_}, kNow - 1), "valid alpha/run");
  EXPECT_EQ(Try({"Bearer " + alpha_}, kNow + 1), "TOKEN_EXPIRED");
}

TEST_F(AuthenticationTest, WithoutTokensNoneIsValid) {
  const TokenTable none;
  Caller caller;
  EXPECT_EQ(none.Judge(alpha_, kNow, caller), TokenTable::Outcome::kNotValid);
}

TEST_F(AuthenticationTest, TenantsAreNamedOnce) {
  EXPECT_EQ(table_.Tenants(), (std::vector<TenantId>{TenantId("alpha"), TenantId("beta")}));
}

TEST_F(AuthenticationTest, EveryRefusalIsUnauthenticatedAndSaysNothingOfTheToken) {
  for (const Reason reason : kTokenReasons) {
    const grpc::Status status = RefuseToken(reason);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(ReasonName(status), InfoOf(reason).name);
    EXPECT_TRUE(DetailOf<google::rpc::ErrorInfo>(status)->metadata().empty());
  }
}

TEST(RefusedTokenLogTest, FloodIsOneLineInTenSeconds) {
  RefusedTokenLog log;
  EXPECT_EQ(log.Add(Reason::kTokenNotValid, kSecondNs), "security: event=token_refused TOKEN_NOT_VALID=1");
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_EQ(log.Add(i % 4 == 0 ? Reason::kTokenMissing : Reason::kTokenNotValid, 2 * kSecondNs),
              std::nullopt);
  }
  EXPECT_EQ(log.Add(Reason::kTokenExpired, 11 * kSecondNs),
            "security: event=token_refused TOKEN_MISSING=25000 TOKEN_NOT_VALID=75000 TOKEN_EXPIRED=1");
  EXPECT_EQ(log.Add(Reason::kTokenExpired, 12 * kSecondNs), std::nullopt);
}

TEST(CallerTest, WhoHasNotShownATokenSeesNothing) {
  const Caller caller{TenantId("alpha"), Role::kByToken};
  EXPECT_FALSE(caller.Sees(TenantId("alpha")));
  EXPECT_FALSE(caller.MayStartRuns());
  EXPECT_FALSE(caller.MayCancelRuns());
}

}  // namespace
}  // namespace caisson::dispatcher
