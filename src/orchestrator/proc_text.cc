#include "orchestrator/proc_text.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace caisson::orchestrator {
namespace {

constexpr std::string_view kBlanks = " \t";

}  // namespace

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::vector<std::string_view> SplitBlank(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t start = text.find_first_not_of(kBlanks); start != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(kBlanks, start), text.size());
    words.push_back(text.substr(start, end - start));
    start = text.find_first_not_of(kBlanks, end);
  }
  return words;
}

std::optional<uint64_t> ParseNumber(std::string_view text, int base) {
  uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, base);
  if (text.empty() || error != std::errc() || end != last) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::string_view> StatusField(std::string_view status, std::string_view key) {
  while (!status.empty()) {
    std::string_view line = TakeLine(status);
    if (line.size() > key.size() && line[key.size()] == ':' && line.substr(0, key.size()) == key) {
      line.remove_prefix(key.size() + 1);
      const size_t start = std::min(line.find_first_not_of(kBlanks), line.size());
      line.remove_prefix(start);
      const size_t last = line.find_last_not_of(kBlanks);
      return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
    }
  }
  return std::nullopt;
}

}  // namespace caisson::orchestrator
