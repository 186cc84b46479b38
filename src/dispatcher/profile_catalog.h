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

using PackageVersions = std::map<std::string, std::string>;  // Debian package → version

class ProfileCatalog {
 public:
  // Looks for each profile's toolchain_probe: on this host, whose packages are `versions`, or in the
  // profile's image, which tells its packages itself. `images`: the directory below which caissond has
  // mounted them.
  ProfileCatalog(policy::ProfileSet profiles, const PackageVersions& versions, int images);

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
PackageVersions ParsePackageVersions(std::string_view dpkg_status);
// The same of the root at a directory's descriptor. A root without dpkg has no versions to tell, which is no
// reason to stop.
PackageVersions ReadPackageVersions(int root);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_PROFILE_CATALOG_H_
