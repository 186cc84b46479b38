#include "gateway/server.h"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <exception>
#include <utility>

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

// Those who are told that there is no place; beyond it they are told nothing.
constexpr size_t kMostTurnedAway = 64;
constexpr std::chrono::milliseconds kAcceptAgain{100};

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

void CoSpawn(const asio::any_io_executor& executor, asio::awaitable<void> work) {
  asio::co_spawn(executor, std::move(work), [](const std::exception_ptr& error) {
    if (error == nullptr) {
      return;
    }
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      spdlog::error("a connection ended: {}", failure.what());
    }
  });
}

}  // namespace

class Server::Session {
 public:
  Session(asio::ip::tcp::socket socket, asio::ip::address from, const ServerBounds& bounds,
          ByteBudget& budget)
      : connection(std::move(socket), bounds.http, budget), address(std::move(from)) {}

  HttpConnection connection;
  asio::ip::address address;
  Exchange* exchange = nullptr;  // the request that is being answered
};

Server::Server(asio::ip::tcp::acceptor acceptor, DaemonLink& link, Doors doors, PageFiles page,
               const ServerBounds& bounds, std::function<void()> on_end)
    : acceptor_(std::move(acceptor)),
      budget_(bounds.bytes_under_way),
      calls_(link, budget_, bounds.web_socket),
      doors_(std::move(doors)),
      page_(std::move(page)),
      bounds_(bounds),
      on_end_(std::move(on_end)),
      grace_(acceptor_.get_executor()) {}

void Server::Start() { CoSpawn(acceptor_.get_executor(), Accept()); }

asio::awaitable<void> Server::Accept() {
  while (!stopping_) {
    boost::system::error_code error;
    asio::ip::tcp::endpoint from;
    asio::ip::tcp::socket socket =
        co_await acceptor_.async_accept(from, asio::redirect_error(asio::use_awaitable, error));
    if (stopping_) {
      co_return;
    }
    if (error) {  // descriptors have run out, or the client was gone before we came
      asio::steady_timer pause(acceptor_.get_executor(), kAcceptAgain);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    const auto session = std::make_shared<Session>(std::move(socket), from.address(), bounds_, budget_);
    if (HasPlace(from.address()) || EndIdlest(from.address())) {
      ++per_address_[from.address()];
      sessions_.insert(session);
      CoSpawn(acceptor_.get_executor(), Run(session));
    } else if (turned_away_ < kMostTurnedAway) {
      ++turned_away_;
      CoSpawn(acceptor_.get_executor(), TurnAway(session));
    }
  }
}

bool Server::HasPlace(const asio::ip::address& address) const {
  const auto here = per_address_.find(address);
  return sessions_.size() < bounds_.connections &&
         (here == per_address_.end() || here->second < bounds_.connections_per_address);
}

// Of those whose end makes a place for `address` the one that has waited for longest between two requests: it
// loses nothing but a connection that it does not use.
bool Server::EndIdlest(const asio::ip::address& address) {
  const auto here = per_address_.find(address);
  const bool of_address = here != per_address_.end() && here->second >= bounds_.connections_per_address;
  Session* idlest = nullptr;
  for (const auto& session : sessions_) {
    const auto since = session->connection.idle_since();
    if (since && (!of_address || session->address == address) &&
        (idlest == nullptr || *since < *idlest->connection.idle_since())) {
      idlest = session.get();
    }
  }
  if (idlest == nullptr) {
    return false;
  }
  idlest->connection.StopWhenIdle();
  return true;
}

asio::awaitable<void> Server::TurnAway(std::shared_ptr<Session> session) {
  Exchange exchange(session->connection, FreshRequestId());
  session->connection.Close();
  Problem problem = Refuse(Refusal::kTooManyConnections, "as many connections are open as may be");
  problem.retry_after_ms = 1'000;
  co_await Calls::RespondProblem(exchange, problem);
  co_await session->connection.Linger();
  --turned_away_;
}

asio::awaitable<void> Server::Run(std::shared_ptr<Session> session) {
  HttpConnection& connection = session->connection;
  // Whatever happens in between, the session leaves.
  const std::shared_ptr<void> leave(nullptr, [this, &session](void* /*nothing*/) { Leave(session); });
  bool told = false;
  while (connection.keep_alive() && !stopping_) {
    std::optional<Problem> refused;
    const bool read = co_await connection.ReadHead(refused);
    if (!read && !refused) {
      break;
    }
    told = true;
    if (refused) {
      Exchange exchange(connection, FreshRequestId());
      co_await Calls::RespondProblem(exchange, *refused);
      spdlog::info("{} refused: {}", exchange.request_id, refused->reason);
      break;
    }
    co_await Answer(*session);
  }
  if (told) {
    co_await connection.Linger();
  }
}

void Server::AddCors(const RequestHeader& head, std::map<std::string, std::string>& headers) const {
  if (!doors_.origins.empty()) {
    headers["Vary"] = "Origin";
  }
  if (std::string origin = AllowedOrigin(head, doors_); !origin.empty()) {
    headers["Access-Control-Allow-Origin"] = std::move(origin);
    headers["Access-Control-Expose-Headers"] = "X-Request-Id, Retry-After";
  }
}

asio::awaitable<void> Server::Answer(Session& session) {
  HttpConnection& connection = session.connection;
  const auto began = std::chrono::steady_clock::now();
  const RequestHeader& head = connection.head();
  Exchange exchange(connection, RequestId(head, FreshRequestId()));
  session.exchange = &exchange;
  AddCors(head, exchange.headers);
  const std::string method(View(head.method_string()));
  const std::string target(View(head.target()));
  std::optional<Problem> refused = CheckHead(head, doors_);
  if (!refused && method == "OPTIONS" && !connection.has_body()) {
    co_await Preflight(exchange);
    session.exchange = nullptr;
    co_return;
  }
  const PageFiles::File* file = method == "GET" && !connection.has_body() ? page_.Find(target) : nullptr;
  if (!refused && file != nullptr) {
    co_await AnswerFile(exchange, *file);
    session.exchange = nullptr;
    co_return;
  }
  if (!refused) {
    std::variant<Route, NoRoute> found = FindRoute(method, target);
    if (auto* none = std::get_if<NoRoute>(&found)) {
      refused = std::move(none->problem);
      if (!none->allow.empty()) {
        exchange.headers["Allow"] = none->allow;
      }
    } else {
      exchange.route = std::get<Route>(std::move(found));
      const bool takes = exchange.route.row->has_body;
      if (takes && !IsJson(head)) {
        refused = Refuse(Refusal::kUnsupportedMediaType, "Content-Type must be application/json, in UTF-8");
      } else if (!takes && connection.has_body()) {
        refused = Refuse(Refusal::kInvalidRequest, "this path takes no body");
      } else if (takes) {
        static_cast<void>(co_await connection.ReadBody(refused));
        if (!refused && !connection.keep_alive() && !connection.BodyIsWhole()) {
          session.exchange = nullptr;
          co_return;  // the client is gone
        }
      }
    }
  }
  if (refused) {
    if (connection.has_body() && !connection.BodyIsWhole()) {
      connection.Close();  // the rest of the body would be taken for a request
    }
    co_await Calls::RespondProblem(exchange, *refused);
  } else {
    co_await calls_.Serve(exchange);
  }
  session.exchange = nullptr;
  spdlog::info("{} {} {} {} in {} ms", exchange.request_id,
               exchange.route.row == nullptr ? "-" : exchange.route.row->method,
               exchange.route.row == nullptr ? "-" : exchange.route.row->pattern, exchange.status,
               std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began)
                   .count());
}

asio::awaitable<void> Server::AnswerFile(Exchange& exchange, const PageFiles::File& file) {
  exchange.headers["Cache-Control"] = file.cache_control;
  exchange.headers["Content-Security-Policy"] = kPagePolicy;
  exchange.headers["Referrer-Policy"] = "no-referrer";
  exchange.headers["Cross-Origin-Opener-Policy"] = "same-origin";
  exchange.headers["Cross-Origin-Resource-Policy"] = "same-origin";
  exchange.status = 200;
  Response response(200, file.content_type, std::string(), exchange.headers);
  co_await exchange.connection.RespondShared(std::move(response), file.body);
}

asio::awaitable<void> Server::Preflight(Exchange& exchange) {
  const std::string allow = MethodsOf(View(exchange.connection.head().target()));
  if (allow.empty()) {
    const Problem problem = Refuse(Refusal::kNoSuchRoute, "no such path");
    co_return co_await Calls::RespondProblem(exchange, problem);
  }
  exchange.headers["Allow"] = allow + ", OPTIONS";
  if (exchange.headers.contains("Access-Control-Allow-Origin")) {
    exchange.headers["Access-Control-Allow-Methods"] = allow;
    exchange.headers["Access-Control-Allow-Headers"] =
        "Accept, Authorization, Content-Type, Last-Event-ID, X-Request-Id, traceparent";
    exchange.headers["Access-Control-Max-Age"] = "600";
  }
  exchange.status = 204;
  Response nothing(204, std::string(), std::string(), exchange.headers);
  co_await exchange.connection.Respond(std::move(nothing));
}

void Server::Leave(const std::shared_ptr<Session>& session) {
  const auto here = per_address_.find(session->address);
  if (here != per_address_.end() && --here->second == 0) {
    per_address_.erase(here);
  }
  sessions_.erase(session);
  if (stopping_ && sessions_.empty()) {
    grace_.cancel();
    on_end_();
  }
}

void Server::Stop() {
  if (stopping_) {
    CancelAll();
    return;
  }
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (sessions_.empty()) {
    on_end_();
    return;
  }
  for (const auto& session : sessions_) {
    session->connection.StopWhenIdle();
  }
  grace_.expires_after(bounds_.grace);
  grace_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      CancelAll();
    }
  });
}

void Server::CancelAll() {
  for (const auto& session : sessions_) {
    if (session->exchange != nullptr && session->exchange->cancel) {
      session->exchange->stopping = true;
      session->exchange->cancel();
    } else {
      session->connection.Abort();
    }
  }
}

}  // namespace caisson::gateway
