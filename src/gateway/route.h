// What a request's method and target ask for. Pure. Untrusted: every byte of the target.
#ifndef CAISSON_GATEWAY_ROUTE_H_
#define CAISSON_GATEWAY_ROUTE_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/problem.h"

namespace caisson::gateway {

enum class Action : uint8_t {
  kHealth,
  kServerInfo,
  kListProfiles,
  kExecute,
  kInteract,
  kCreateRun,
  kListRuns,
  kGetRun,
  kFollowRun,
  kCancelRun,
  kPistonRuntimes,
  kPistonPackages,
  kPistonExecute,
  kPistonConnect,
};

struct RouteRow {
  Action action;
  const char* method;
  const char* pattern;  // "/v1/runs/{run}:follow"; {run} is 32 hex digits
  bool has_body;        // JSON, and nothing else
};

// A route of Piston's API, whose errors have a form of their own.
bool IsPiston(const RouteRow& row);

// Every route. docs/http.md tells them; a test compares.
std::span<const RouteRow> AllRoutes();

struct Route {
  const RouteRow* row = nullptr;
  std::string run;                           // "runs/" and 32 hex digits, where the pattern has {run}
  std::map<std::string, std::string> query;  // decoded
};

// Or why there is none: no such path, another method (`allow` says which there are), a query that cannot be
// read.
struct NoRoute {
  Problem problem;
  std::string allow;  // "GET, POST", for 405 and for OPTIONS
};

std::variant<Route, NoRoute> FindRoute(std::string_view method, std::string_view target);

// The methods of a path, "GET, POST"; empty where there is no such path.
std::string MethodsOf(std::string_view target);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_ROUTE_H_
