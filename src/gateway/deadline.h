// A time by which what a client's socket is doing must be over. Unlike a timer of Beast's it leaves the
// socket open, so that the client can be told. One thread.
#ifndef CAISSON_GATEWAY_DEADLINE_H_
#define CAISSON_GATEWAY_DEADLINE_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

namespace caisson::gateway {

class Deadline {
 public:
  // `socket` outlives it.
  explicit Deadline(boost::asio::ip::tcp::socket& socket) : state_(std::make_shared<State>(socket)) {}
  ~Deadline() { Disarm(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // From now on; replaces the last one.
  void Arm(std::chrono::milliseconds time) {
    Disarm();
    state_ = std::make_shared<State>(state_->socket);
    state_->armed = true;
    Wait(state_, time);
  }
  void Disarm() {
    state_->armed = false;
    state_->timer.cancel();
  }
  bool expired() const { return state_->expired; }

 private:
  struct State {
    explicit State(boost::asio::ip::tcp::socket& of) : socket(of), timer(of.get_executor()) {}
    boost::asio::ip::tcp::socket& socket;
    boost::asio::steady_timer timer;
    bool armed = false;
    bool expired = false;
  };

  static constexpr std::chrono::milliseconds kAgain{100};

  static void Wait(const std::shared_ptr<State>& state, std::chrono::milliseconds time) {
    state->timer.expires_after(time);
    state->timer.async_wait([state](const boost::system::error_code& error) {
      if (error || !state->armed) {
        return;
      }
      state->expired = true;
      boost::system::error_code ignored;
      state->socket.cancel(ignored);
      // An operation of several parts may be between two of them, where there is nothing to cancel.
      Wait(state, kAgain);
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_DEADLINE_H_
