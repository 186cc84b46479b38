// Piston's API, version 2, for front ends that were written for it: docs/piston.md. Untrusted: every request.
#ifndef CAISSON_GATEWAY_PISTON_H_
#define CAISSON_GATEWAY_PISTON_H_

#include <optional>
#include <string>
#include <vector>

#include "gateway/awaitable.h"
#include "gateway/calls.h"
#include "gateway/daemon_call.h"
#include "gateway/piston_runtime.h"

namespace caisson::gateway {

// What the daemon offers at the moment; or why that is not known.
boost::asio::awaitable<std::optional<Problem>> FetchRuntimes(DaemonLink& link, const Forwarded& forwarded,
                                                             std::vector<PistonRuntime>& runtimes);

// GET /api/v2/runtimes, and GET /api/v2/packages, which are all installed.
boost::asio::awaitable<void> PistonRuntimes(DaemonLink& link, Exchange& exchange);
boost::asio::awaitable<void> PistonPackages(DaemonLink& link, Exchange& exchange);

// POST /api/v2/execute. The run ends with its client.
boost::asio::awaitable<void> PistonExecute(DaemonLink& link, ByteBudget& budget, Exchange& exchange);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_PISTON_H_
