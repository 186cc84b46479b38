// Something that one coroutine waits for and another brings about. One thread, one who waits.
#ifndef CAISSON_GATEWAY_LATCH_H_
#define CAISSON_GATEWAY_LATCH_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "gateway/awaitable.h"

namespace caisson::gateway {

class Latch {
 public:
  explicit Latch(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  // For good: it is never closed again.
  void Set() {
    set_ = true;
    timer_.cancel();
  }

  boost::asio::awaitable<void> Wait() {
    while (!set_) {
      co_await WaitUntil(std::chrono::steady_clock::time_point::max());
    }
  }
  // False where the time was over first.
  boost::asio::awaitable<bool> WaitFor(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!set_ && std::chrono::steady_clock::now() < until) {
      co_await WaitUntil(until);
    }
    co_return set_;
  }

 private:
  boost::asio::awaitable<void> WaitUntil(std::chrono::steady_clock::time_point until) {
    boost::system::error_code ignored;
    timer_.expires_at(until);
    co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }

  boost::asio::steady_timer timer_;
  bool set_ = false;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_LATCH_H_
