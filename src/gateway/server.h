// The listener and the connections it accepted: how many there may be, what each may ask, and how it all
// ends. One thread, whose io_context it is given. Untrusted: every client.
#ifndef CAISSON_GATEWAY_SERVER_H_
#define CAISSON_GATEWAY_SERVER_H_

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "gateway/awaitable.h"
#include "gateway/calls.h"
#include "gateway/http_connection.h"
#include "gateway/page_files.h"
#include "gateway/request_head.h"

namespace caisson::gateway {

struct ServerBounds {
  size_t connections = 2'048;
  size_t connections_per_address = 1'536;
  size_t bytes_under_way = size_t{256} << 20U;  // bodies and answers of all clients together
  std::chrono::milliseconds grace{5'000};       // for what runs when the gateway is stopped
  HttpBounds http;
  WebSocketBounds web_socket;
};

class Server {
 public:
  // `on_end`: after Stop, when the last connection is gone.
  Server(boost::asio::ip::tcp::acceptor acceptor, DaemonLink& link, Doors doors, PageFiles page,
         const ServerBounds& bounds, std::function<void()> on_end);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void Start();
  // Accepts nobody more. What runs may go on for the grace time; a second call ends that at once.
  void Stop();

 private:
  class Session;

  boost::asio::awaitable<void> Accept();
  bool HasPlace(const boost::asio::ip::address& address) const;
  bool EndIdlest(const boost::asio::ip::address& address);
  boost::asio::awaitable<void> Run(std::shared_ptr<Session> session);
  boost::asio::awaitable<void> Answer(Session& session);
  boost::asio::awaitable<void> AnswerFile(Exchange& exchange, const PageFiles::File& file);
  boost::asio::awaitable<void> Preflight(Exchange& exchange);
  boost::asio::awaitable<void> TurnAway(std::shared_ptr<Session> session);
  void AddCors(const RequestHeader& head, std::map<std::string, std::string>& headers) const;
  void Leave(const std::shared_ptr<Session>& session);
  void CancelAll();

  boost::asio::ip::tcp::acceptor acceptor_;
  ByteBudget budget_;
  Calls calls_;
  const Doors doors_;
  const PageFiles page_;
  const ServerBounds bounds_;
  std::function<void()> on_end_;
  boost::asio::steady_timer grace_;
  std::set<std::shared_ptr<Session>> sessions_;
  std::map<boost::asio::ip::address, size_t> per_address_;
  size_t turned_away_ = 0;
  bool stopping_ = false;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_SERVER_H_
