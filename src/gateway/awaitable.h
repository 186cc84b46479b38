// Asio's coroutines. Boost 1.74's header uses std::exchange and does not include what has it.
#ifndef CAISSON_GATEWAY_AWAITABLE_H_
#define CAISSON_GATEWAY_AWAITABLE_H_

// clang-format off
#include <utility>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
// clang-format on

#endif  // CAISSON_GATEWAY_AWAITABLE_H_
