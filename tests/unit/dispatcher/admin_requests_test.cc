#include "dispatcher/admin_requests.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dispatcher/status_details.h"

namespace caisson::dispatcher {
namespace {

const std::set<TenantId> kNames = {TenantId("alpha"), TenantId("beta"), TenantId("default"), TenantId("web")};

std::vector<std::string> NamesOf(const TenantRange& range) {
  std::vector<std::string> names;
  for (auto at = range.first; at != range.last; ++at) {
    names.push_back(at->name());
  }
  return names;
}

TEST(AdminRequestsTest, PagesHoldEveryTenantOnceInOrder) {
  admin::v1::ListTenantsRequest request;
  request.set_page_size(3);
  const TenantRange first = RangeOf(request, kNames);
  EXPECT_EQ(NamesOf(first), (std::vector<std::string>{"alpha", "beta", "default"}));
  ASSERT_EQ(first.next_page_token, "default");
  request.set_page_token(first.next_page_token);
  const TenantRange second = RangeOf(request, kNames);
  EXPECT_EQ(NamesOf(second), std::vector<std::string>{"web"});
  EXPECT_EQ(second.next_page_token, "");
}

TEST(AdminRequestsTest, ATenantThatWentBetweenTwoPagesMovesNoOther) {
  admin::v1::ListTenantsRequest request;
  request.set_page_token("beta");
  EXPECT_EQ(NamesOf(RangeOf(request, {TenantId("alpha"), TenantId("default")})),
            std::vector<std::string>{"default"});
  request.set_page_token("zz");
  EXPECT_TRUE(NamesOf(RangeOf(request, kNames)).empty());
  EXPECT_TRUE(NamesOf(RangeOf({}, {})).empty());
}

TEST(AdminRequestsTest, APageHasFiftyUnlessAskedAndAThousandAtMost) {
  std::set<TenantId> many;
  for (int i = 0; i < 1'200; ++i) {
    many.insert(TenantId("t" + std::to_string(i)));
  }
  admin::v1::ListTenantsRequest request;
  EXPECT_EQ(NamesOf(RangeOf(request, many)).size(), 50U);
  request.set_page_size(1'200);
  EXPECT_EQ(NamesOf(RangeOf(request, many)).size(), 1'000U);
}

TEST(AdminRequestsTest, WhatIsNoPageIsRefused) {
  admin::v1::ListTenantsRequest request;
  EXPECT_TRUE(CheckTenantsRequest(request).ok());
  request.set_page_size(-1);
  EXPECT_EQ(FieldsOf(CheckTenantsRequest(request)), std::set<std::string>{"page_size"});
  request.set_page_size(0);
  request.set_page_token(std::string(65, 'a'));
  EXPECT_EQ(FieldsOf(CheckTenantsRequest(request)), std::set<std::string>{"page_token"});
}

TEST(AdminRequestsTest, EveryQuotaOfAPolicyHasItsField) {
  policy::TenantPolicy policy;
  for (size_t i = 0; i < policy::kQuotaCount; ++i) {
    policy.quotas[static_cast<policy::QuotaId>(i)] = {100 + i, "a/b"};
  }
  policy.weight = {7, "a/weight"};
  policy.digest = "sha256:0";
  admin::v1::Tenant tenant;
  SetPolicy(policy, tenant);
  const google::protobuf::Descriptor& fields = *admin::v1::Quotas::descriptor();
  ASSERT_EQ(static_cast<size_t>(fields.field_count()), policy::kQuotaCount);
  for (size_t i = 0; i < policy::kQuotaCount; ++i) {
    const std::string name(policy::QuotaName(static_cast<policy::QuotaId>(i)));
    const google::protobuf::FieldDescriptor* field = fields.FindFieldByName(name);
    ASSERT_NE(field, nullptr) << name;
    EXPECT_EQ(tenant.quotas().GetReflection()->GetUInt64(tenant.quotas(), field), 100 + i) << name;
  }
  EXPECT_EQ(tenant.weight(), 7U);
  EXPECT_EQ(tenant.policy_digest(), "sha256:0");
}

TEST(AdminRequestsTest, AQuotaThatNobodySaysIsAbsent) {
  admin::v1::Tenant tenant;
  SetPolicy(policy::UnboundedPolicy("web"), tenant);
  EXPECT_TRUE(tenant.has_quotas());
  EXPECT_EQ(tenant.quotas().ByteSizeLong(), 0U);
}

}  // namespace
}  // namespace caisson::dispatcher
