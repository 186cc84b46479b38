#include "cli/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace caisson::cli {

std::string Printable(std::string_view text, size_t max_bytes) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  const std::string_view shown = text.substr(0, max_bytes);
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    } else {
      out += c;
    }
  }
  if (shown.size() < text.size()) {
    out += "...";
  }
  return out;
}

std::string BytesText(uint64_t bytes) {
  static constexpr std::array<std::pair<uint64_t, const char*>, 3> kUnits{
      {{1ULL << 30U, " GiB"}, {1ULL << 20U, " MiB"}, {1ULL << 10U, " KiB"}}};
  for (const auto& [size, name] : kUnits) {
    if (bytes >= size && bytes % size == 0) {
      return std::to_string(bytes / size) + name;
    }
  }
  return std::to_string(bytes) + " bytes";
}

std::string AgeText(int64_t seconds) {
  seconds = std::max<int64_t>(seconds, 0);
  static constexpr std::array<std::pair<int64_t, const char*>, 3> kUnits{
      {{86'400, " d"}, {3'600, " h"}, {60, " min"}}};
  for (const auto& [size, name] : kUnits) {
    if (seconds >= size) {
      return std::to_string(seconds / size) + name;
    }
  }
  return std::to_string(seconds) + " s";
}

std::string JoinNames(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) {
      out += i + 1 == names.size() ? " and " : ", ";
    }
    out += names[i];
  }
  return out;
}

std::string TableText(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) {
        out.append(widths[i] - row[i].size() + 2, ' ');
      }
    }
    out += '\n';
  }
  return out;
}

}  // namespace caisson::cli
