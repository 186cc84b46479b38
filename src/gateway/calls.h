// What the routes mean: each a call of the daemon's API, and its answer in HTTP. Runs on the one thread that
// serves HTTP. Untrusted: the request; route and head have been checked.
#ifndef CAISSON_GATEWAY_CALLS_H_
#define CAISSON_GATEWAY_CALLS_H_

#include <functional>
#include <map>
#include <string>

#include "gateway/awaitable.h"
#include "gateway/daemon_link.h"
#include "gateway/http_connection.h"
#include "gateway/route.h"
#include "gateway/web_socket_bounds.h"

namespace caisson::gateway {

// One request on its way.
struct Exchange {
  // No aggregate: GCC 12 destroys those twice that are made within a co_await. Response is none either.
  Exchange(HttpConnection& on, std::string id);

  HttpConnection& connection;
  Route route;
  std::string request_id;
  std::map<std::string, std::string> headers;  // of every answer
  unsigned status = 0;                         // what was answered, for the log
  bool stopping = false;                       // the gateway has canceled it
  // Ends the call that runs, where one does: set by whoever has one, called when the gateway stops.
  std::function<void()> cancel;
};

class Calls {
 public:
  // Outlive it.
  Calls(DaemonLink& link, ByteBudget& budget, const WebSocketBounds& web_socket)
      : link_(link), budget_(budget), web_socket_(web_socket) {}

  // Answers, always once.
  boost::asio::awaitable<void> Serve(Exchange& exchange);

  static boost::asio::awaitable<void> RespondJson(Exchange& exchange, std::string body);
  static boost::asio::awaitable<void> RespondProblem(Exchange& exchange, const Problem& problem);

 private:
  boost::asio::awaitable<void> Health(Exchange& exchange);
  boost::asio::awaitable<void> ServerInfo(Exchange& exchange);
  boost::asio::awaitable<void> ListProfiles(Exchange& exchange);
  boost::asio::awaitable<void> CreateRun(Exchange& exchange);
  boost::asio::awaitable<void> ListRuns(Exchange& exchange);
  boost::asio::awaitable<void> GetRun(Exchange& exchange);
  boost::asio::awaitable<void> CancelRun(Exchange& exchange);

  DaemonLink& link_;
  ByteBudget& budget_;
  const WebSocketBounds web_socket_;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_CALLS_H_
