// Which tenant a client's certificate names: its one subjectAltName of the form URI:caisson:tenant/NAME. The
// certificate's chain has been verified; its text is still whoever asked for it's. Pure.
#ifndef CAISSON_TLS_DOOR_TENANT_NAME_H_
#define CAISSON_TLS_DOOR_TENANT_NAME_H_

#include <openssl/x509.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace caisson::tls_door {

inline constexpr std::string_view kTenantUri = "caisson:tenant/";

// A lower-case letter, then lower-case letters, digits and '-', at most 63 bytes.
bool IsTenantName(std::string_view name);

// kInvalidArgument where there is none, more than one, or one that is no name. Other names do not matter.
absl::StatusOr<std::string> TenantOf(const X509& certificate);

}  // namespace caisson::tls_door

#endif  // CAISSON_TLS_DOOR_TENANT_NAME_H_
