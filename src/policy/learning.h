// Filters that learn, and filters that were learned. Pure.
//
// A learning run has the filter of its profile turned inside out: what is allowed is notified, counted by
// init and let go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE), and what is not is refused by the kernel, which
// notifies nobody. Letting go on decides nothing: whatever the caller's memory says by the time the kernel
// reads it, and whatever init makes of a notification, no call gets further than the loaded filter would let
// it. That is the ceiling.
#ifndef CAISSON_POLICY_LEARNING_H_
#define CAISSON_POLICY_LEARNING_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/profile.h"
#include "policy/syscall_groups.h"
#include "policy/syscall_rules.h"

namespace caisson::policy {

// The filter of learning runs of a step that has the filter `own`.
// - The ceiling: what `own` allows or some group does (but `terminal`; and `learning`, which no profile
// names),
//   rule by rule, unless lint would object to the rule. So nothing dangerous is in it, whoever wrote the
//   profile.
// - What the stub calls whatever its arguments are stays allowed and is not counted: some of it runs before
//   anybody answers notifications.
// - What `own` answers silently, refuses with an error of its own or kills for, it goes on refusing.
SyscallFilter LearningFilter(const SyscallFilter& own, NetworkMode network, const SyscallGroups& groups);

// A call that a program made while it was learned from: `arguments` hold at least the bits that the rules of
// the ceiling look at.
struct Observation {
  std::string syscall;
  SyscallArguments arguments{};
  uint64_t count = 0;
  std::string program;  // whose, in words for people
};

// The least filter under which the programs could have done the same: of `learning`, a filter that
// LearningFilter made, the rules that let an observed call through, what the stub needs, four calls that
// depend on timing, and every silent answer and refusal. Each rule's `why` tells what it is for, and how
// often which program needed it. kInvalidArgument when a call was observed that `learning` does not let
// through: then it is of another profile.
absl::StatusOr<SyscallFilter> LearnedFilter(const SyscallFilter& learning,
                                            const std::vector<Observation>& observations);

// What a filter lets through, one rule a line, without reasons: "fcntl when arg1 == 0x2". For comparing.
std::set<std::string> AllowedInWords(const SyscallFilter& filter);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_LEARNING_H_
