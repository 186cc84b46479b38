#include "orchestrator/mount_info.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes space, tab, newline and backslash in paths as \ooo.
std::string Unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) &&
        IsOctal(text[i + 3])) {
      const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out.push_back(static_cast<char>(value));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  size_t start = 0;
  while (start <= line.size()) {
    const size_t end = std::min(line.find(' ', start), line.size());
    words.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

// "7:12"; both halves are decimal.
bool ParseDevice(std::string_view text, MountEntry& entry) {
  const size_t colon = std::min(text.find(':'), text.size());
  const char* end = text.data() + text.size();
  const auto [major_end, major_error] = std::from_chars(text.data(), text.data() + colon, entry.major);
  if (colon == text.size() || major_error != std::errc() || major_end != text.data() + colon) {
    return false;
  }
  const auto [minor_end, minor_error] = std::from_chars(major_end + 1, end, entry.minor);
  return minor_error == std::errc() && minor_end == end;
}

absl::StatusOr<MountEntry> ParseLine(std::string_view line) {
  const std::vector<std::string_view> words = Words(line);
  size_t separator = 6;
  while (separator < words.size() && words[separator] != "-") {
    ++separator;
  }
  // id parent major:minor root mount_point options [propagation]... - type source super_options
  MountEntry entry;
  if (words.size() < 10 || separator + 4 != words.size() || !ParseDevice(words[2], entry)) {
    return absl::InvalidArgumentError("parse mountinfo: malformed line \"" + std::string(line) + "\"");
  }
  entry.root = Unescape(words[3]);
  entry.mount_point = Unescape(words[4]);
  entry.options = std::string(words[5]);
  for (size_t i = 6; i < separator; ++i) {
    entry.propagation.emplace_back(words[i]);
  }
  entry.type = std::string(words[separator + 1]);
  entry.super_options = std::string(words[separator + 3]);
  return entry;
}

}  // namespace

absl::StatusOr<std::vector<MountEntry>> ParseMountEntries(std::string_view text) {
  std::vector<MountEntry> entries;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return absl::InvalidArgumentError("parse mountinfo: the last line does not end");
    }
    ASSIGN_OR_RETURN(MountEntry entry, ParseLine(text.substr(0, end)));
    entries.push_back(std::move(entry));
    text.remove_prefix(end + 1);
  }
  return entries;
}

bool HasOption(std::string_view list, std::string_view option) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == option) {
      return true;
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace caisson::orchestrator
