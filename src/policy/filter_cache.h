// Compiles each filter once, however many steps of however many profiles come to the same rules.
#ifndef CAISSON_POLICY_FILTER_CACHE_H_
#define CAISSON_POLICY_FILTER_CACHE_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/filter_compiler.h"
#include "policy/profile.h"

namespace caisson::policy {

// The same rules in the same order, whatever their reasons (`why`).
bool SameRules(const SyscallFilter& a, const SyscallFilter& b);

// One thread at a time.
class FilterCache {
 public:
  // As CompileFilter. A filter that does not compile is not remembered.
  absl::StatusOr<CompiledFilter> Compile(const SyscallFilter& filter);

  // How many were really compiled.
  size_t size() const { return compiled_.size(); }

 private:
  std::vector<std::pair<SyscallFilter, CompiledFilter>> compiled_;
};

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_FILTER_CACHE_H_
