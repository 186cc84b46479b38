// Notices that a client is gone while its call runs and nothing is read from it. One thread.
#ifndef CAISSON_GATEWAY_CLIENT_WATCH_H_
#define CAISSON_GATEWAY_CLIENT_WATCH_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

namespace caisson::gateway {

class ClientWatch {
 public:
  // `on_gone` at most once: the client has closed its side, or the connection broke. A client that only
  // closes its sending side counts as gone. `socket` outlives the watch, which ends what waits to be read
  // from it.
  ClientWatch(boost::asio::ip::tcp::socket& socket, std::function<void()> on_gone);
  ~ClientWatch();
  ClientWatch(const ClientWatch&) = delete;
  ClientWatch& operator=(const ClientWatch&) = delete;

 private:
  struct State;
  static void Wait(const std::shared_ptr<State>& state);
  static void Look(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_CLIENT_WATCH_H_
