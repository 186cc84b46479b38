#include "cli/text.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "common/utf8.h"

namespace caisson::cli {
namespace {

struct CodePoints {
  char32_t first;
  char32_t last;
};

// Beyond ASCII: C1 controls, separators of lines and paragraphs, and what Unicode calls bidirectional
// controls and default-ignorable characters. Sorted.
constexpr CodePoints kUnseen[] = {
    {0x80, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160},
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

void AppendHex(uint32_t value, int digits, std::string& out) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += kHex[value >> static_cast<unsigned>(shift) & 0xfU];
  }
}

// Of a well-formed character.
char32_t CodePoint(std::string_view character) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(character[index]); };
  if (character.size() == 1) {
    return byte(0);
  }
  char32_t value = byte(0) & (0xffU >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) {
    value = value << 6U | (byte(i) & 0x3fU);
  }
  return value;
}

void AppendPrintable(std::string_view character, std::string& out) {
  const char32_t value = CodePoint(character);
  if (value < 0x20 || value == 0x7f) {
    out += "\\x";
    AppendHex(value, 2, out);
  } else if (std::none_of(std::begin(kUnseen), std::end(kUnseen), [value](const CodePoints& range) {
               return range.first <= value && value <= range.last;
             })) {
    out += character;
  } else {
    out += value > 0xffff ? "\\U" : "\\u";
    AppendHex(value, value > 0xffff ? 8 : 4, out);
  }
}

// Not longer than `max_bytes`, and no character is torn by it.
std::string_view FirstBytes(std::string_view text, size_t max_bytes) {
  constexpr size_t kLongestCharacter = 4;
  if (text.size() <= max_bytes) {
    return text;
  }
  for (size_t back = 1; back < kLongestCharacter && back <= max_bytes; ++back) {
    if (Utf8CharacterBytes(text, max_bytes - back) > back) {
      return text.substr(0, max_bytes - back);
    }
  }
  return text.substr(0, max_bytes);
}

}  // namespace

std::string Printable(std::string_view text, size_t max_bytes) {
  std::string out;
  const std::string_view shown = FirstBytes(text, max_bytes);
  for (size_t at = 0; at < shown.size();) {
    const size_t bytes = Utf8CharacterBytes(shown, at);
    if (bytes == 0) {
      out += "\\x";
      AppendHex(static_cast<unsigned char>(shown[at]), 2, out);
      ++at;
    } else {
      AppendPrintable(shown.substr(at, bytes), out);
      at += bytes;
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

std::string AgeBetween(int64_t now, int64_t then) {
  int64_t seconds = 0;
  if (__builtin_sub_overflow(now, then, &seconds)) {
    seconds = now < then ? 0 : std::numeric_limits<int64_t>::max();
  }
  return AgeText(seconds);
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
