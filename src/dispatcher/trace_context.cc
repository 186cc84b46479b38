#include "dispatcher/trace_context.h"

#include <algorithm>
#include <array>

namespace caisson::dispatcher {
namespace {

constexpr size_t kTraceAt = 3;
constexpr size_t kTraceDigits = 32;
constexpr size_t kParentAt = kTraceAt + kTraceDigits + 1;
constexpr size_t kParentDigits = 16;
constexpr size_t kFlagsAt = kParentAt + kParentDigits + 1;
constexpr size_t kBytes = kFlagsAt + 2;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::string TraceparentOf(std::string_view text) {
  if (text.size() != kBytes || text.substr(0, kTraceAt) != "00-" || text[kParentAt - 1] != '-' ||
      text[kFlagsAt - 1] != '-') {
    return {};
  }
  const std::string_view trace = text.substr(kTraceAt, kTraceDigits);
  const std::string_view parent = text.substr(kParentAt, kParentDigits);
  if (!IsHex(trace) || !IsHex(parent) || !IsHex(text.substr(kFlagsAt)) || IsZero(trace) || IsZero(parent)) {
    return {};
  }
  return std::string(text);
}

std::string TraceparentOf(const grpc::CallbackServerContext& context) {
  const auto [begin, end] = context.client_metadata().equal_range("traceparent");
  if (begin == end || std::next(begin) != end) {
    return {};
  }
  return TraceparentOf(std::string_view(begin->second.data(), begin->second.size()));
}

std::string_view TraceIdOf(std::string_view traceparent) {
  return traceparent.substr(std::min(kTraceAt, traceparent.size()), kTraceDigits);
}

}  // namespace caisson::dispatcher
