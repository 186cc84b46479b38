// The profiles as the dispatcher offers them: what they are, whether their toolchain is there, which version
// it has. Built once at start, before the self-lockdown; immutable afterwards and shared by all threads. Only
// for early and friendly answers: caissond reads the same files itself and its decision counts.
#ifndef CAISSON_DISPATCHER_PROFILE_CATALOG_H_
#define CAISSON_DISPATCHER_PROFILE_CATALOG_H_

#include <map>
#include <string>
#include <string_view>

#include "policy/profile_loader.h"

namespace caisson::dispatcher {

struct CatalogEntry {
  policy::Profile profile;
  std::string toolchain_version;                 // empty: not known
  std::string unavailable_reason;                // empty: available
  std::map<std::string, std::string> libraries;  // the profile's packages: the reason why not; empty: there
};

class ProfileCatalog {
 public:
  // Looks for each profile's toolchain_probe on this host. `versions`: Debian package → version.
  ProfileCatalog(policy::ProfileSet profiles, const std::map<std::string, std::string>& versions);

  // Null if there is none.
  const CatalogEntry* Find(const std::string& name) const;
  // At most three names, comma-separated.
  std::string Nearest(const std::string& name) const;
  const std::map<std::string, CatalogEntry>& entries() const { return entries_; }

 private:
  policy::ProfileSet profiles_;
  std::map<std::string, CatalogEntry> entries_;
};

// The versions of the installed packages, from the text of /var/lib/dpkg/status.
std::map<std::string, std::string> ParsePackageVersions(std::string_view dpkg_status);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_PROFILE_CATALOG_H_
