// Is what a profile executes there? Looks at files of this host or of the profile's image, nothing else.
#ifndef CAISSON_POLICY_TOOLCHAIN_H_
#define CAISSON_POLICY_TOOLCHAIN_H_

#include <string>

#include "policy/profile.h"

namespace caisson::policy {

// `root` is where a profile's paths are looked for: a descriptor of the directory where its image is mounted,
// or kHostRoot. Empty if the profile's toolchain is there; else the reason, with the package that brings it:
// "package nodejs is not installed (/usr/bin/node is missing)". Of a profile with an image, kHostRoot tells
// only whether the image's file is there.
std::string UnavailableReason(const Profile& profile, int root = kHostRoot);

// The same for a library of a profile.
std::string UnavailableReason(const Library& library, int root = kHostRoot);

// Of Debian: a-z, 0-9 and "+-." after a first letter or digit. Not one that ends in '-', which apt-get takes
// for a package to remove.
bool IsPackageName(const std::string& name);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_TOOLCHAIN_H_
