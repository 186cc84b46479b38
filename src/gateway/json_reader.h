// JSON bodies to values, within bounds. Pure. Untrusted: every byte.
#ifndef CAISSON_GATEWAY_JSON_READER_H_
#define CAISSON_GATEWAY_JSON_READER_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "gateway/problem.h"

namespace caisson::gateway {

// Of any body; what is beyond is refused before memory is spent on it.
inline constexpr size_t kMaxJsonDepth = 16;
inline constexpr size_t kMaxJsonValues = 16'384;

// Strict JSON (RFC 8259, UTF-8), within the bounds, no name twice in one object. Or why not; `json` is then
// what was read so far.
std::optional<Problem> ParseJson(std::string_view text, nlohmann::json& json);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_JSON_READER_H_
