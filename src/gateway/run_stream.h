// Runs in HTTP: their events as they come, or all of it as one JSON object. Untrusted: the request's body,
// how fast the client reads, and what the program puts out.
#ifndef CAISSON_GATEWAY_RUN_STREAM_H_
#define CAISSON_GATEWAY_RUN_STREAM_H_

#include "gateway/awaitable.h"
#include "gateway/calls.h"
#include "gateway/run_answer.h"

namespace caisson::gateway {

// POST /v1/runs:execute. The run ends with its client.
boost::asio::awaitable<void> Execute(DaemonLink& link, ByteBudget& budget, Exchange& exchange);

// GET /v1/runs/{run}:follow.
boost::asio::awaitable<void> Follow(DaemonLink& link, Exchange& exchange);

// Runs `request`, which is empty then, to its end and keeps what it puts out, within `share`. Nothing, or why
// not.
boost::asio::awaitable<std::optional<Problem>> RunToEnd(DaemonLink& link, ByteBudget::Share& share,
                                                        Exchange& exchange, v1::ExecuteRequest& request,
                                                        RunAnswer& answer);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_RUN_STREAM_H_
