#include "gateway/route.h"

#include <array>
#include <optional>

#include "common/utf8.h"

namespace caisson::gateway {
namespace {

constexpr std::array kRoutes = {
    RouteRow{Action::kHealth, "GET", "/healthz", false},
    RouteRow{Action::kServerInfo, "GET", "/v1/server", false},
    RouteRow{Action::kListProfiles, "GET", "/v1/profiles", false},
    RouteRow{Action::kExecute, "POST", "/v1/runs:execute", true},
    RouteRow{Action::kInteract, "GET", "/v1/runs:interact", false},
    RouteRow{Action::kCreateRun, "POST", "/v1/runs", true},
    RouteRow{Action::kListRuns, "GET", "/v1/runs", false},
    RouteRow{Action::kGetRun, "GET", "/v1/runs/{run}", false},
    RouteRow{Action::kFollowRun, "GET", "/v1/runs/{run}:follow", false},
    RouteRow{Action::kCancelRun, "POST", "/v1/runs/{run}:cancel", false},
    RouteRow{Action::kPistonRuntimes, "GET", "/api/v2/runtimes", false},
    RouteRow{Action::kPistonPackages, "GET", "/api/v2/packages", false},
    RouteRow{Action::kPistonExecute, "POST", "/api/v2/execute", true},
    RouteRow{Action::kPistonConnect, "GET", "/api/v2/connect", false},
};

constexpr std::string_view kRun = "{run}";
constexpr size_t kRunDigits = 32;
constexpr size_t kMaxQueryEntries = 16;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Whether `path` is one of `pattern`; `run` becomes what stands for {run}.
bool Matches(std::string_view pattern, std::string_view path, std::string& run) {
  const size_t at = pattern.find(kRun);
  if (at == std::string_view::npos) {
    return path == pattern;
  }
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after = pattern.substr(at + kRun.size());
  if (path.size() != before.size() + kRunDigits + after.size() || path.substr(0, at) != before ||
      path.substr(at + kRunDigits) != after || !IsHex(path.substr(at, kRunDigits))) {
    return false;
  }
  run = "runs/" + std::string(path.substr(at, kRunDigits));
  return true;
}

std::optional<uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<uint8_t>(c - '0');
  }
  const char lower = static_cast<char>(static_cast<unsigned char>(c) | 0x20U);
  if (lower >= 'a' && lower <= 'f') {
    return static_cast<uint8_t>(lower - 'a' + 10);
  }
  return std::nullopt;
}

// application/x-www-form-urlencoded, as browsers write it.
std::optional<std::string> Decode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (text.size() - at < 3) {
      return std::nullopt;
    }
    const std::optional<uint8_t> high = HexDigit(text[at + 1]);
    const std::optional<uint8_t> low = HexDigit(text[at + 2]);
    if (!high || !low) {
      return std::nullopt;
    }
    out += static_cast<char>(*high << 4U | *low);
    at += 2;
  }
  return IsValidUtf8(out) ? std::optional(out) : std::nullopt;
}

std::optional<Problem> ParseQuery(std::string_view text, std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(entry.size() + 1, text.size()));
    const size_t equals = std::min(entry.find('='), entry.size());
    const std::optional<std::string> key = Decode(entry.substr(0, equals));
    const std::optional<std::string> value = Decode(entry.substr(std::min(equals + 1, entry.size())));
    if (!key || !value || key->empty()) {
      return Refuse(Refusal::kInvalidQuery, "the query must be NAME=VALUE pairs, percent-encoded UTF-8");
    }
    if (query.size() == kMaxQueryEntries || !query.emplace(*key, *value).second) {
      return Refuse(Refusal::kInvalidQuery, "a name stands twice in the query, or there are more than " +
                                                std::to_string(kMaxQueryEntries));
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsPiston(const RouteRow& row) { return std::string_view(row.pattern).starts_with("/api/v2/"); }

std::span<const RouteRow> AllRoutes() { return kRoutes; }

std::string MethodsOf(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  std::string methods;
  std::string run;
  for (const RouteRow& row : kRoutes) {
    if (Matches(row.pattern, path, run)) {
      methods += (methods.empty() ? "" : ", ") + std::string(row.method);
    }
  }
  return methods;
}

std::variant<Route, NoRoute> FindRoute(std::string_view method, std::string_view target) {
  const size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  for (const RouteRow& row : kRoutes) {
    Route route{&row, {}, {}};
    if (method != row.method || !Matches(row.pattern, path, route.run)) {
      continue;
    }
    std::optional<Problem> wrong = ParseQuery(target.substr(std::min(mark + 1, target.size())), route.query);
    if (wrong) {
      return NoRoute{*std::move(wrong), {}};
    }
    return route;
  }
  std::string allow = MethodsOf(target);
  if (allow.empty()) {
    return NoRoute{Refuse(Refusal::kNoSuchRoute, "no such path"), {}};
  }
  return NoRoute{Refuse(Refusal::kMethodNotAllowed, "this path takes " + allow), allow};
}

}  // namespace caisson::gateway
