#include "tls_door/tenant_name.h"

#include <openssl/x509v3.h>

#include <memory>

namespace caisson::tls_door {
namespace {

constexpr size_t kMostNameBytes = 63;

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

}  // namespace

bool IsTenantName(std::string_view name) {
  return !name.empty() && name.size() <= kMostNameBytes && name.front() >= 'a' && name.front() <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

absl::StatusOr<std::string> TenantOf(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string tenant;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) {
      continue;
    }
    const ASN1_IA5STRING* const uri = name->d.uniformResourceIdentifier;
    // By its length: what follows a NUL in it counts as well.
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                                static_cast<size_t>(ASN1_STRING_length(uri)));
    if (!text.starts_with(kTenantUri)) {
      continue;
    }
    if (!tenant.empty() || !IsTenantName(text.substr(kTenantUri.size()))) {
      return absl::InvalidArgumentError("its certificate names several tenants, or one that has no name");
    }
    tenant = text.substr(kTenantUri.size());
  }
  if (tenant.empty()) {
    return absl::InvalidArgumentError("its certificate names no tenant");
  }
  return tenant;
}

}  // namespace caisson::tls_door
