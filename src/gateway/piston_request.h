// What a client of Piston asks for, as a request of the API: the body of POST /api/v2/execute and the message
// `init` of /api/v2/connect. Pure. Untrusted: every byte.
#ifndef CAISSON_GATEWAY_PISTON_REQUEST_H_
#define CAISSON_GATEWAY_PISTON_REQUEST_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "gateway/piston_runtime.h"

namespace caisson::gateway {

struct PistonJob {
  const PistonRuntime* runtime = nullptr;  // one of those given
  v1::ExecuteRequest request;              // without standard input
};

// Nothing and `job` filled, or Piston's message for why not.
std::optional<std::string> ParsePistonJob(const nlohmann::json& json,
                                          const std::vector<PistonRuntime>& runtimes, PistonJob& job);

// The job's standard input, which Piston ends with a line's end where the client has not. Or why not.
std::optional<std::string> ParsePistonStdin(const nlohmann::json& json, std::string& input);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_PISTON_REQUEST_H_
