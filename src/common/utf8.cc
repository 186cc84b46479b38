#include "common/utf8.h"

#include <cstdint>

namespace caisson {
namespace {

struct Utf8Lead {
  uint8_t first;
  uint8_t last;
  size_t continuation_bytes;
  uint8_t second_first;  // the range of the byte after the lead: where overlong forms and surrogates are
                         // ruled out
  uint8_t second_last;
};

// Table 3-7 of the Unicode standard.
constexpr Utf8Lead kUtf8Leads[] = {
    {0x00, 0x7f, 0, 0x00, 0x00}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

// Unicode's category Cc: C0, DEL and C1.
bool IsControl(std::string_view character) {
  const auto first = static_cast<uint8_t>(character.front());
  return first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<uint8_t>(character[1]) < 0xa0);
}

}  // namespace

size_t Utf8CharacterBytes(std::string_view text, size_t at) {
  const auto byte_at = [&](size_t index) { return static_cast<uint8_t>(text[index]); };
  for (const Utf8Lead& lead : kUtf8Leads) {
    if (byte_at(at) < lead.first || byte_at(at) > lead.last) {
      continue;
    }
    if (lead.continuation_bytes == 0) {
      return 1;
    }
    if (text.size() - at <= lead.continuation_bytes || byte_at(at + 1) < lead.second_first ||
        byte_at(at + 1) > lead.second_last) {
      return 0;
    }
    for (size_t i = 2; i <= lead.continuation_bytes; ++i) {
      if ((byte_at(at + i) & 0xc0U) != 0x80U) {
        return 0;
      }
    }
    return lead.continuation_bytes + 1;
  }
  return 0;
}

bool IsValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = Utf8CharacterBytes(text, at);
    if (bytes == 0) {
      return false;
    }
    at += bytes;
  }
  return true;
}

bool IsPrintableUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = Utf8CharacterBytes(text, at);
    if (bytes == 0 || IsControl(text.substr(at, bytes))) {
      return false;
    }
    at += bytes;
  }
  return true;
}

std::string EscapeUnprintable(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = Utf8CharacterBytes(text, at);
    const std::string_view here = text.substr(at, bytes == 0 ? 1 : bytes);
    if (bytes != 0 && !IsControl(here)) {
      out += here;
    } else {
      for (const char c : here) {
        const auto byte = static_cast<uint8_t>(c);
        out += "\\x";
        out += kHex[byte >> 4U];
        out += kHex[byte & 0xfU];
      }
    }
    at += here.size();
  }
  return out;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = Utf8CharacterBytes(text, at);
    out += bytes == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(at, bytes);
    at += bytes == 0 ? 1 : bytes;
  }
  return out;
}

}  // namespace caisson
