// What a profile comes to, for people: everything inherited and expanded, each unusual thing with its reason.
#ifndef CAISSON_POLICY_EXPLAIN_H_
#define CAISSON_POLICY_EXPLAIN_H_

#include <string>

#include "policy/profile.h"

namespace caisson::policy {

// Several lines of text, the last with its newline. Pure.
std::string ExplainProfile(const Profile& profile);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_EXPLAIN_H_
