// Checks that the root a step describes can be built, and that building it touches nothing but the new root.
#ifndef CAISSON_POLICY_LAYOUT_CHECK_H_
#define CAISSON_POLICY_LAYOUT_CHECK_H_

#include <string>
#include <vector>

#include "policy/profile_source.h"

namespace caisson::policy {

// Complains about paths that are not plain absolute ones, that Caisson makes itself (/box, /tmp, /dev, /proc
// …), that are made twice, and that lie inside another one: init builds the root as real root, so a file
// "inside" a bind would be written into the host's own directory, and one "below" a symlink wherever that
// leads.
void CheckLayout(const StepSource& step, std::vector<std::string>& complaints);

// "/a/b": absolute, no empty, "." or ".." part, no trailing slash, below PATH_MAX.
bool IsPlainAbsolutePath(const std::string& path);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_LAYOUT_CHECK_H_
