#include "gateway/piston.h"

#include <chrono>
#include <utility>

#include "gateway/json_reader.h"
#include "gateway/piston_answer.h"
#include "gateway/piston_request.h"
#include "gateway/run_answer.h"
#include "gateway/run_stream.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kListTime{10'000};

}  // namespace

asio::awaitable<std::optional<Problem>> FetchRuntimes(DaemonLink& link, const Forwarded& forwarded,
                                                      std::vector<PistonRuntime>& runtimes) {
  const v1::ListProfilesRequest request;
  v1::ListProfilesResponse response;
  const std::optional<Problem> problem = co_await CallDaemon(
      link, &v1::RunService::Stub::PrepareAsyncListProfiles, forwarded, request, response, kListTime);
  if (!problem) {
    runtimes = RuntimesOf(response);
  }
  co_return problem;
}

asio::awaitable<void> PistonRuntimes(DaemonLink& link, Exchange& exchange) {
  std::vector<PistonRuntime> runtimes;
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  if (const auto problem = co_await FetchRuntimes(link, forwarded, runtimes)) {
    co_return co_await Calls::RespondProblem(exchange, *problem);
  }
  co_await Calls::RespondJson(exchange, RuntimesJson(runtimes));
}

asio::awaitable<void> PistonPackages(DaemonLink& link, Exchange& exchange) {
  std::vector<PistonRuntime> runtimes;
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  if (const auto problem = co_await FetchRuntimes(link, forwarded, runtimes)) {
    co_return co_await Calls::RespondProblem(exchange, *problem);
  }
  co_await Calls::RespondJson(exchange, PackagesJson(runtimes));
}

asio::awaitable<void> PistonExecute(DaemonLink& link, ByteBudget& budget, Exchange& exchange) {
  nlohmann::json json;
  if (const auto wrong = ParseJson(exchange.connection.body(), json)) {
    co_return co_await Calls::RespondProblem(exchange, *wrong);
  }
  exchange.connection.DropBody();
  std::vector<PistonRuntime> runtimes;
  const Forwarded forwarded = ForwardedOf(exchange.connection.head(), exchange.request_id);
  if (const auto problem = co_await FetchRuntimes(link, forwarded, runtimes)) {
    co_return co_await Calls::RespondProblem(exchange, *problem);
  }
  PistonJob job;
  std::optional<std::string> refused = ParsePistonJob(json, runtimes, job);
  if (!refused) {
    refused = ParsePistonStdin(json, *job.request.mutable_stdin());
  }
  if (refused) {
    const Problem problem = Refuse(Refusal::kInvalidRequest, *std::move(refused));
    co_return co_await Calls::RespondProblem(exchange, problem);
  }
  json = nullptr;
  std::string text;
  {
    ByteBudget::Share share(budget);
    RunAnswer answer;
    if (const auto problem = co_await RunToEnd(link, share, exchange, job.request, answer)) {
      co_return co_await Calls::RespondProblem(exchange, *problem);
    }
    text = PistonAnswerJson(*job.runtime, answer);
  }
  co_await Calls::RespondJson(exchange, std::move(text));
}

}  // namespace caisson::gateway
