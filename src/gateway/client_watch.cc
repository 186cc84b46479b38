#include "gateway/client_watch.h"

#include <poll.h>

#include <chrono>
#include <utility>

namespace caisson::gateway {
namespace {

// Where the next request lies unread already, a hang-up behind it wakes nobody.
constexpr std::chrono::milliseconds kLookAgain{500};

}  // namespace

struct ClientWatch::State {
  State(boost::asio::ip::tcp::socket& of, std::function<void()> gone)
      : socket(of), timer(of.get_executor()), on_gone(std::move(gone)) {}
  boost::asio::ip::tcp::socket& socket;
  boost::asio::steady_timer timer;
  std::function<void()> on_gone;
  bool active = true;
};

ClientWatch::ClientWatch(boost::asio::ip::tcp::socket& socket, std::function<void()> on_gone)
    : state_(std::make_shared<State>(socket, std::move(on_gone))) {
  Wait(state_);
}

ClientWatch::~ClientWatch() {
  state_->active = false;
  state_->timer.cancel();
  boost::system::error_code ignored;
  state_->socket.cancel(ignored);
}

void ClientWatch::Wait(const std::shared_ptr<State>& state) {
  state->socket.async_wait(boost::asio::ip::tcp::socket::wait_read,
                           [state](const boost::system::error_code& /*why*/) {
                             if (state->active) {
                               Look(state);
                             }
                           });
}

void ClientWatch::Look(const std::shared_ptr<State>& state) {
  pollfd client{state->socket.native_handle(), POLLRDHUP, 0};
  if (poll(&client, 1, 0) != 0) {
    state->active = false;
    state->on_gone();
    return;
  }
  state->timer.expires_after(kLookAgain);
  state->timer.async_wait([state](const boost::system::error_code& error) {
    if (!error && state->active) {
      Look(state);
    }
  });
}

}  // namespace caisson::gateway
