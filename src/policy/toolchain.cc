#include "policy/toolchain.h"

#include <unistd.h>

namespace caisson::policy {
namespace {

std::string ReasonFor(const std::string& package, const std::string& probe) {
  if (probe.empty() || access(probe.c_str(), F_OK) == 0) {
    return {};
  }
  return package.empty() ? probe + " is missing"
                         : "package " + package + " is not installed (" + probe + " is missing)";
}

}  // namespace

std::string UnavailableReason(const Profile& profile) {
  return ReasonFor(profile.toolchain_package, profile.toolchain_probe);
}

std::string UnavailableReason(const Library& library) { return ReasonFor(library.package, library.probe); }

bool IsPackageName(const std::string& name) {
  constexpr char kFirst[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr char kRest[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
  return name.size() > 1 && name.find_first_of(kFirst) == 0 &&
         name.find_first_not_of(kRest) == std::string::npos && name.back() != '-';
}

}  // namespace caisson::policy
