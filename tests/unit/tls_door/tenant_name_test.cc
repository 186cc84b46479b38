// Which tenant a certificate names, and every certificate that names none.
#include "tls_door/tenant_name.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"

namespace caisson::tls_door {
namespace {

using Names = std::vector<std::pair<int, std::string>>;

// The tenant of a certificate with these names, or why it has none. Neither key nor signature: they are not
// looked at here.
std::string TenantWith(const Names& names) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  if (!names.empty()) {
    GENERAL_NAMES* list = sk_GENERAL_NAME_new_null();
    for (const auto& [type, text] : names) {
      GENERAL_NAME* const name = GENERAL_NAME_new();
      ASN1_IA5STRING* const value = ASN1_IA5STRING_new();
      EXPECT_EQ(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())), 1);
      GENERAL_NAME_set0_value(name, type, value);
      sk_GENERAL_NAME_push(list, name);
    }
    EXPECT_EQ(X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, list, 0, 0), 1);
    GENERAL_NAMES_free(list);
  }
  const absl::StatusOr<std::string> tenant = TenantOf(*certificate);
  return tenant.ok() ? *tenant : Message(tenant.status());
}

std::string OfUri(const std::string& uri) { return TenantWith({{GEN_URI, uri}}); }

constexpr char kNone[] = "its certificate names no tenant";
constexpr char kWrong[] = "its certificate names several tenants, or one that has no name";

TEST(TenantNameTest, UriNamesTheTenant) {
  EXPECT_EQ(OfUri("caisson:tenant/web"), "web");
  EXPECT_EQ(OfUri("caisson:tenant/" + std::string(63, 'a')), std::string(63, 'a'));
  EXPECT_EQ(
      TenantWith({{GEN_DNS, "a.example"}, {GEN_URI, "https://a.example"}, {GEN_URI, "caisson:tenant/w-1"}}),
      "w-1");
}

TEST(TenantNameTest, OtherNamesNameNone) {
  EXPECT_EQ(TenantWith({}), kNone);
  EXPECT_EQ(TenantWith({{GEN_DNS, "caisson:tenant/web"}, {GEN_EMAIL, "caisson:tenant/web"}}), kNone);
  EXPECT_EQ(OfUri("CAISSON:tenant/web"), kNone);
  EXPECT_EQ(OfUri("x-caisson:tenant/web"), kNone);
  EXPECT_EQ(OfUri(""), kNone);
}

TEST(TenantNameTest, WhatIsNoNameIsRefusedAsAWhole) {
  for (const std::string& name : {std::string(), std::string("Web"), std::string("1web"), std::string("web/"),
                                  std::string("web\0", 4), std::string("web\0.example", 12),
                                  std::string("w\xc3\xa9"), std::string(64, 'a'), std::string("../web")}) {
    EXPECT_EQ(OfUri("caisson:tenant/" + name), kWrong) << name;
  }
  EXPECT_EQ(TenantWith({{GEN_URI, "caisson:tenant/web"}, {GEN_URI, "caisson:tenant/web"}}), kWrong);
  EXPECT_EQ(TenantWith({{GEN_URI, "caisson:tenant/web"}, {GEN_URI, "caisson:tenant/"}}), kWrong);
}

}  // namespace
}  // namespace caisson::tls_door
