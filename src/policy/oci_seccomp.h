// Seccomp lists of container runtimes (the OCI runtime specification, and Docker's and Podman's form with
// conditions on capabilities and architectures), read into rules of ours and written from them. Pure.
#ifndef CAISSON_POLICY_OCI_SECCOMP_H_
#define CAISSON_POLICY_OCI_SECCOMP_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/profile.h"

namespace caisson::policy {

enum class OciComparison : uint8_t { kEqual, kNotEqual, kMaskedEqual, kOther };

struct OciCondition {
  uint32_t index = 0;
  OciComparison comparison = OciComparison::kEqual;
  uint64_t mask = ~uint64_t{0};
  uint64_t value = 0;
};

struct OciRule {
  std::string syscall;
  bool allows = false;  // else it refuses, one way or another
  std::vector<OciCondition> conditions;
};

// The rules that hold for a process without capabilities on x86-64. kInvalidArgument in the form
// "FILE:LINE: KEY: reason" for what is no such list, and for one that allows whatever it does not name.
absl::StatusOr<std::vector<OciRule>> ParseOciSeccomp(std::string_view text, const std::string& file);

struct OciImport {
  SyscallFilter filter;
  std::map<std::string, std::string>
      left_out;                       // calls that the list allows and the filter does not, with the reason
  std::vector<std::string> narrowed;  // calls that the list allows always and the filter sometimes
};

// Of `learning`, a filter that LearningFilter made, what the list allows in every case; so the outcome is
// never wider than the list, nor than a learned profile can be. `source` names the list in each rule's `why`.
OciImport ImportOciSeccomp(const std::vector<OciRule>& rules, const SyscallFilter& learning,
                           const std::string& source);

// The filter as such a list: refused calls fail and nobody hears of them, record locks are not counted, and
// an error of its own for the rest of a call is EPERM there, since a list has no way to say so.
std::string WriteOciSeccomp(const SyscallFilter& filter);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_OCI_SECCOMP_H_
