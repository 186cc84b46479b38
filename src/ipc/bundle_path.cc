#include "ipc/bundle_path.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/status.h"
#include "ipc/run_streams.h"

namespace caisson::ipc {
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

// Bytes of the character at `at`, or 0 if it is malformed.
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

absl::Status CheckComponent(std::string_view component) {
  if (component.empty()) {
    return absl::InvalidArgumentError("has an empty component");
  }
  if (component == "." || component == "..") {
    return absl::InvalidArgumentError("has a '" + std::string(component) + "' component");
  }
  if (component.size() > kMaxPathComponentBytes) {
    return absl::InvalidArgumentError("has a component longer than " +
                                      std::to_string(kMaxPathComponentBytes) + " bytes");
  }
  return absl::OkStatus();
}

}  // namespace

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

absl::Status CheckBundlePath(std::string_view path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("is empty");
  }
  if (path.size() > wire::kMaxPathBytes) {
    return absl::InvalidArgumentError("is longer than " + std::to_string(wire::kMaxPathBytes) + " bytes");
  }
  if (path.front() == '/') {
    return absl::InvalidArgumentError("is absolute");
  }
  if (path.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("contains a NUL byte");
  }
  if (!IsValidUtf8(path)) {
    return absl::InvalidArgumentError("is not valid UTF-8");
  }
  size_t components = 0;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    RETURN_IF_ERROR(CheckComponent(path.substr(begin, end - begin)));
    begin = end + 1;
    if (++components > wire::kMaxPathComponents) {
      return absl::InvalidArgumentError("has more than " + std::to_string(wire::kMaxPathComponents) +
                                        " components");
    }
  }
  return absl::OkStatus();
}

}  // namespace caisson::ipc
