#include "dispatcher/run_name.h"

#include <sys/random.h>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr std::string_view kPrefix = "runs/";
constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

RunId NewRunId() {
  RunId id{};
  CAISSON_CHECK(getrandom(id.data(), id.size(), 0) == static_cast<ssize_t>(id.size()));
  return id;
}

std::string RunIdText(const RunId& id) {
  std::string text;
  for (const uint8_t byte : id) {
    text += kHexDigits[byte >> 4U];
    text += kHexDigits[byte & 0xfU];
  }
  return text;
}

std::string RunName(const RunId& id) { return std::string(kPrefix) + RunIdText(id); }

std::optional<RunId> ParseRunId(std::string_view text) {
  RunId id{};
  if (text.size() != 2 * id.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t digit = kHexDigits.find(text[i]);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    id.at(i / 2) = static_cast<uint8_t>(id.at(i / 2) << 4U | digit);
  }
  return id;
}

std::optional<RunId> RunIdOf(std::string_view name) {
  if (name.substr(0, kPrefix.size()) != kPrefix) {
    return std::nullopt;
  }
  return ParseRunId(name.substr(kPrefix.size()));
}

bool IsRunName(std::string_view name) { return RunIdOf(name).has_value(); }

}  // namespace caisson::dispatcher
