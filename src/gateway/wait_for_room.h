// Waits until all clients together have room for an event that one of them is to be sent. Untrusted: how fast
// they read.
#ifndef CAISSON_GATEWAY_WAIT_FOR_ROOM_H_
#define CAISSON_GATEWAY_WAIT_FOR_ROOM_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "gateway/awaitable.h"
#include "gateway/byte_budget.h"

namespace caisson::gateway {

// ORDER: before the event of `event_bytes` becomes text, of which `share` counts the most that it can come
// to; what is small is not counted and does not wait. False: there was no room for as long as `most`, or
// `over` became true. Meanwhile nothing is read from the daemon for this client, so its program waits too.
inline boost::asio::awaitable<bool> WaitForRoom(const boost::asio::any_io_executor& executor,
                                                ByteBudget::Share& share, size_t event_bytes,
                                                std::chrono::milliseconds most, const bool& over) {
  constexpr size_t kMostGrowth = 6;  // JSON writes a byte as \u0001
  const size_t bytes = kMostGrowth * event_bytes;
  constexpr std::chrono::milliseconds kLookAgain{20};
  if (bytes <= ByteBudget::kSmallBytes) {
    co_return true;
  }
  boost::asio::steady_timer timer(executor);
  for (std::chrono::milliseconds waited{0}; !share.Hold(bytes); waited += kLookAgain) {
    if (over || waited >= most) {
      co_return false;
    }
    boost::system::error_code ignored;
    timer.expires_after(kLookAgain);
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  co_return true;
}

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_WAIT_FOR_ROOM_H_
