#include "cli/ignore_rules.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

namespace caisson::cli {
namespace {

constexpr char kAnyDirectories[] = "**";

using Components = std::vector<std::string>;

// Whether the patterns match the names one by one. `reached[n]`: the patterns so far match the first n names.
// A table and not a recursion: with many `**` that would take exponential time.
bool Matches(const Components& patterns, const Components& names) {
  std::vector<bool> reached(names.size() + 1, false);
  reached[0] = true;
  for (size_t index = 0; index < patterns.size(); ++index) {
    std::vector<bool> next(names.size() + 1, false);
    if (patterns[index] == kAnyDirectories) {
      // At the end it stands for what is below a directory, not for the directory itself.
      const bool is_last = index + 1 == patterns.size();
      bool any = false;
      for (size_t at = 0; at <= names.size(); ++at) {
        next[at] = is_last ? any : any || reached[at];
        any = any || reached[at];
      }
    } else {
      for (size_t at = 0; at < names.size(); ++at) {
        next[at + 1] = reached[at] && fnmatch(patterns[index].c_str(), names[at].c_str(), 0) == 0;
      }
    }
    reached = std::move(next);
  }
  return reached[names.size()];
}

// The parts between the separators, empty ones left out.
Components Split(std::string_view text, char separator) {
  Components parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(separator));
    if (!part.empty()) {
      parts.emplace_back(part);
    }
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return parts;
}

// Spaces at the end count only after a backslash.
std::string_view WithoutTrailingSpace(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
    if (line.size() > 1 && line[line.size() - 2] == '\\') {
      break;
    }
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

IgnoreRules::IgnoreRules(std::string_view text) {
  Add(".git");
  for (const std::string& line : Split(text, '\n')) {
    Add(WithoutTrailingSpace(line));
  }
}

void IgnoreRules::Add(std::string_view line) {
  if (line.empty() || line.front() == '#') {
    return;
  }
  Rule rule;
  rule.takes_back = line.front() == '!';
  line.remove_prefix(rule.takes_back ? 1 : 0);
  rule.directories_only = line.ends_with('/');
  line.remove_suffix(rule.directories_only ? 1 : 0);
  const bool is_tied = line.find('/') != std::string_view::npos;
  rule.components = Split(line, '/');
  if (rule.components.empty()) {
    return;
  }
  if (!is_tied) {
    rule.components.insert(rule.components.begin(), kAnyDirectories);
  }
  rules_.push_back(std::move(rule));
}

bool IgnoreRules::Ignores(std::string_view path, Kind kind) const {
  const Components names = Split(path, '/');
  const auto last = std::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& rule) {
    return (kind == Kind::kDirectory || !rule.directories_only) && Matches(rule.components, names);
  });
  return last != rules_.rend() && !last->takes_back;
}

}  // namespace caisson::cli
