#include "dispatcher/run_name.h"

#include <sys/random.h>

#include <algorithm>

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

std::string RunName(const RunId& id) {
  std::string name(kPrefix);
  for (const uint8_t byte : id) {
    name += kHexDigits[byte >> 4U];
    name += kHexDigits[byte & 0xfU];
  }
  return name;
}

bool IsRunName(std::string_view name) {
  return name.size() == kPrefix.size() + 2 * sizeof(RunId) && name.substr(0, kPrefix.size()) == kPrefix &&
         std::all_of(name.begin() + kPrefix.size(), name.end(),
                     [](char digit) { return kHexDigits.find(digit) != std::string_view::npos; });
}

}  // namespace caisson::dispatcher
