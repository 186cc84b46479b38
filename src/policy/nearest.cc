#include "policy/nearest.h"

#include <algorithm>
#include <utility>

namespace caisson::policy {
namespace {

constexpr size_t kComparedBytes = 64;

// Lower is nearer; a prefix of either in the other counts as one edit.
size_t Distance(std::string_view known, std::string_view name) {
  const bool prefix = !name.empty() && (known.starts_with(name) || name.starts_with(known));
  return prefix ? 1 : EditDistance(known, name);
}

}  // namespace

size_t EditDistance(std::string_view left, std::string_view right) {
  left = left.substr(0, kComparedBytes);
  right = right.substr(0, kComparedBytes);
  std::vector<size_t> row(right.size() + 1);
  for (size_t column = 0; column < row.size(); ++column) {
    row[column] = column;
  }
  for (size_t line = 1; line <= left.size(); ++line) {
    size_t diagonal = row[0];
    row[0] = line;
    for (size_t column = 1; column < row.size(); ++column) {
      const size_t substitute = diagonal + (left[line - 1] == right[column - 1] ? 0U : 1U);
      diagonal = row[column];
      row[column] = std::min({substitute, row[column] + 1, row[column - 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> NearestOf(const std::vector<std::string>& known, std::string_view name,
                                   size_t most) {
  std::vector<std::pair<size_t, std::string>> candidates;
  for (const std::string& candidate : known) {
    const size_t distance = Distance(candidate, name);
    const size_t tolerated = std::max<size_t>(1, std::min(candidate.size(), name.size()) / 2);
    if (distance <= tolerated) {
      candidates.emplace_back(distance, candidate);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  if (candidates.size() > most) {
    candidates.resize(most);
  }
  std::vector<std::string> nearest;
  nearest.reserve(candidates.size());
  for (auto& [distance, candidate] : candidates) {
    nearest.push_back(std::move(candidate));
  }
  return nearest;
}

std::string DidYouMean(const std::vector<std::string>& known, std::string_view name) {
  const std::vector<std::string> nearest = NearestOf(known, name, 1);
  return nearest.empty() ? std::string() : "; did you mean '" + nearest.front() + "'?";
}

}  // namespace caisson::policy
