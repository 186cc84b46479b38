#include "gateway/calls.h"

#include <charconv>
#include <chrono>
#include <set>
#include <utility>

#include "gateway/daemon_call.h"
#include "gateway/event_json.h"
#include "gateway/interact_json.h"
#include "gateway/piston.h"
#include "gateway/piston_answer.h"
#include "gateway/piston_connect.h"
#include "gateway/request_json.h"
#include "gateway/run_stream.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;
using Stub = v1::RunService::Stub;

constexpr std::chrono::milliseconds kUnaryTime{10'000};
constexpr std::chrono::milliseconds kCreateTime{60'000};
constexpr std::chrono::milliseconds kHealthTime{2'000};
constexpr unsigned kHttpUnauthorized = 401;

// The message as the answer, or the problem. The message's memory goes before it is waited for the client.
asio::awaitable<void> RespondMessage(Exchange& exchange, const std::optional<Problem>& problem,
                                     google::protobuf::Message& message) {
  if (problem) {
    co_return co_await Calls::RespondProblem(exchange, *problem);
  }
  std::string json = MessageJson(message);
  {
    const std::unique_ptr<google::protobuf::Message> gone(message.New());
    message.GetReflection()->Swap(&message, gone.get());  // Clear would keep it
  }
  if (json.empty()) {
    const Problem formless = Refuse(Refusal::kInternal, "the daemon's answer has no form in JSON");
    co_return co_await Calls::RespondProblem(exchange, formless);
  }
  json += "\n";
  co_await Calls::RespondJson(exchange, std::move(json));
}

// page_size, page_token and, where there is a place for it, filter.
std::optional<Problem> ReadPage(const Exchange& exchange, int32_t& size, std::string& token,
                                std::string* filter) {
  for (const auto& [name, value] : exchange.route.query) {
    if (name == "page_size") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (error != std::errc() || end != value.data() + value.size()) {
        return Refuse(Refusal::kInvalidQuery, "page_size must be a number");
      }
    } else if (name == "page_token") {
      token = value;
    } else if (name == "filter" && filter != nullptr) {
      *filter = value;
    } else {
      return Refuse(Refusal::kInvalidQuery, std::string("the query may have page_size, page_token") +
                                                (filter == nullptr ? "" : " and filter"));
    }
  }
  return std::nullopt;
}

}  // namespace

Exchange::Exchange(HttpConnection& on, std::string id) : connection(on), request_id(std::move(id)) {
  headers["X-Request-Id"] = request_id;
  headers["Cache-Control"] = "no-store";
  headers["X-Content-Type-Options"] = "nosniff";
  headers["Content-Security-Policy"] = "default-src 'none'";
}

asio::awaitable<void> Calls::RespondJson(Exchange& exchange, std::string body) {
  body.shrink_to_fit();
  if (!exchange.connection.HasRoomFor(body.size())) {
    std::string().swap(body);
    Problem problem = Refuse(Refusal::kBusy, "other answers take all the room there is");
    problem.retry_after_ms = 1'000;
    co_return co_await RespondProblem(exchange, problem);
  }
  exchange.status = 200;
  Response response(200, "application/json", std::move(body), exchange.headers);
  co_await exchange.connection.Respond(std::move(response));
}

asio::awaitable<void> Calls::RespondProblem(Exchange& exchange, const Problem& problem) {
  exchange.status = problem.http;
  const bool of_piston = exchange.route.row != nullptr && IsPiston(*exchange.route.row);
  Response response(problem.http, of_piston ? "application/json" : "application/problem+json",
                    of_piston ? PistonErrorJson(problem) : ProblemJson(problem, exchange.request_id),
                    exchange.headers);
  if (const std::string after = RetryAfter(problem); !after.empty()) {
    response.headers["Retry-After"] = after;
  }
  if (problem.http == kHttpUnauthorized) {
    response.headers["WWW-Authenticate"] = "Bearer";
  }
  co_await exchange.connection.Respond(std::move(response));
}

asio::awaitable<void> Calls::Serve(Exchange& exchange) {
  const Action action = exchange.route.row->action;
  const bool takes_query =
      action == Action::kListRuns || action == Action::kListProfiles || action == Action::kFollowRun;
  if (!takes_query && !exchange.route.query.empty()) {
    const Problem wrong = Refuse(Refusal::kInvalidQuery, "this path takes no query");
    co_return co_await RespondProblem(exchange, wrong);
  }
  switch (action) {
    case Action::kHealth:
      co_return co_await Health(exchange);
    case Action::kServerInfo:
      co_return co_await ServerInfo(exchange);
    case Action::kListProfiles:
      co_return co_await ListProfiles(exchange);
    case Action::kExecute:
      co_return co_await Execute(link_, budget_, exchange);
    case Action::kInteract:
      co_return co_await Interact(link_, budget_, web_socket_, exchange);
    case Action::kCreateRun:
      co_return co_await CreateRun(exchange);
    case Action::kListRuns:
      co_return co_await ListRuns(exchange);
    case Action::kGetRun:
      co_return co_await GetRun(exchange);
    case Action::kFollowRun:
      co_return co_await Follow(link_, exchange);
    case Action::kCancelRun:
      co_return co_await CancelRun(exchange);
    case Action::kPistonRuntimes:
      co_return co_await PistonRuntimes(link_, exchange);
    case Action::kPistonPackages:
      co_return co_await PistonPackages(link_, exchange);
    case Action::kPistonExecute:
      co_return co_await PistonExecute(link_, budget_, exchange);
    case Action::kPistonConnect:
      co_return co_await PistonConnect(link_, budget_, web_socket_, exchange);
  }
}

asio::awaitable<void> Calls::Health(Exchange& exchange) {
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  const v1::GetServerInfoRequest request;
  v1::ServerInfo info;
  const auto problem =
      co_await CallDaemon(link_, &Stub::PrepareAsyncGetServerInfo, forwarded, request, info, kHealthTime);
  // One that asks for a token is there. Whoever watches over health needs none.
  if (problem && problem->http != kHttpUnauthorized) {
    co_return co_await RespondProblem(exchange, *problem);
  }
  co_await RespondJson(exchange, "{\"status\":\"SERVING\"}\n");
}

asio::awaitable<void> Calls::ServerInfo(Exchange& exchange) {
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  const v1::GetServerInfoRequest request;
  v1::ServerInfo info;
  const auto problem =
      co_await CallDaemon(link_, &Stub::PrepareAsyncGetServerInfo, forwarded, request, info, kUnaryTime);
  co_await RespondMessage(exchange, problem, info);
}

asio::awaitable<void> Calls::ListProfiles(Exchange& exchange) {
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  v1::ListProfilesRequest request;
  v1::ListProfilesResponse response;
  int32_t size = 0;
  std::optional<Problem> problem = ReadPage(exchange, size, *request.mutable_page_token(), nullptr);
  if (!problem) {
    request.set_page_size(size);
    problem =
        co_await CallDaemon(link_, &Stub::PrepareAsyncListProfiles, forwarded, request, response, kUnaryTime);
  }
  co_await RespondMessage(exchange, problem, response);
}

asio::awaitable<void> Calls::CreateRun(Exchange& exchange) {
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  v1::ExecuteRequest request;
  v1::Run run;
  std::optional<Problem> problem = ParseExecuteRequest(exchange.connection.body(), request);
  if (!problem) {
    exchange.connection.DropBody();
    problem = co_await CallDaemon(link_, &Stub::PrepareAsyncCreateRun, forwarded, request, run, kCreateTime);
  }
  co_await RespondMessage(exchange, problem, run);
}

asio::awaitable<void> Calls::ListRuns(Exchange& exchange) {
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  v1::ListRunsRequest request;
  v1::ListRunsResponse response;
  int32_t size = 0;
  std::optional<Problem> problem =
      ReadPage(exchange, size, *request.mutable_page_token(), request.mutable_filter());
  if (!problem) {
    request.set_page_size(size);
    problem =
        co_await CallDaemon(link_, &Stub::PrepareAsyncListRuns, forwarded, request, response, kUnaryTime);
  }
  co_await RespondMessage(exchange, problem, response);
}

asio::awaitable<void> Calls::GetRun(Exchange& exchange) {
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  v1::GetRunRequest request;
  request.set_name(exchange.route.run);
  v1::Run run;
  const auto problem =
      co_await CallDaemon(link_, &Stub::PrepareAsyncGetRun, forwarded, request, run, kUnaryTime);
  co_await RespondMessage(exchange, problem, run);
}

asio::awaitable<void> Calls::CancelRun(Exchange& exchange) {
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  v1::CancelRunRequest request;
  request.set_name(exchange.route.run);
  v1::Run run;
  const auto problem =
      co_await CallDaemon(link_, &Stub::PrepareAsyncCancelRun, forwarded, request, run, kUnaryTime);
  co_await RespondMessage(exchange, problem, run);
}

}  // namespace caisson::gateway
