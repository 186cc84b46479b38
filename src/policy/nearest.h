// Suggestions for a mistyped name: which of the known ones did the writer most likely mean?
#ifndef CAISSON_POLICY_NEAREST_H_
#define CAISSON_POLICY_NEAREST_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::policy {

// Levenshtein distance over bytes. Each side counts with its first 64 bytes only, so a hostile name costs
// little.
size_t EditDistance(std::string_view left, std::string_view right);

// Those of `known` that are close to `name` (a shared prefix, or few edits), best first, at most `most`.
std::vector<std::string> NearestOf(const std::vector<std::string>& known, std::string_view name, size_t most);

// "; did you mean 'x'?" for the nearest, "" when nothing is near.
std::string DidYouMean(const std::vector<std::string>& known, std::string_view name);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_NEAREST_H_
