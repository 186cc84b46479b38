// Run by caissond at start, as root. Input: rules of profiles that only root can have written.
#include "policy/filter_cache.h"

#include <algorithm>
#include <tuple>

#include "common/status.h"

namespace caisson::policy {
namespace {

bool SameCondition(const ArgumentCondition& a, const ArgumentCondition& b) {
  return std::tie(a.index, a.mask, a.value) == std::tie(b.index, b.mask, b.value);
}

bool SameRule(const SyscallRule& a, const SyscallRule& b) {
  return std::tie(a.syscall, a.action, a.errno_value) == std::tie(b.syscall, b.action, b.errno_value) &&
         std::equal(a.conditions.begin(), a.conditions.end(), b.conditions.begin(), b.conditions.end(),
                    SameCondition);
}

}  // namespace

bool SameRules(const SyscallFilter& a, const SyscallFilter& b) {
  return std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(), SameRule);
}

absl::StatusOr<CompiledFilter> FilterCache::Compile(const SyscallFilter& filter) {
  for (const auto& [rules, compiled] : compiled_) {
    if (SameRules(rules, filter)) {
      return compiled;
    }
  }
  ASSIGN_OR_RETURN(CompiledFilter compiled, CompileFilter(filter));
  compiled_.emplace_back(filter, compiled);
  return compiled;
}

}  // namespace caisson::policy
