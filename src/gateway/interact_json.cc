#include "gateway/interact_json.h"

#include <algorithm>
#include <utility>

#include "gateway/request_json.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;

// What the daemon takes in one message.
constexpr size_t kStdinBytes = size_t{64} << 10U;

}  // namespace

uint16_t CloseCodeOf(const Problem& problem) {
  const auto is = [&problem](Refusal refusal) {
    const Problem ours = Refuse(refusal, std::string());
    return problem.domain == ours.domain && problem.reason == ours.reason;
  };
  if (is(Refusal::kStopping)) {
    return close_code::kGoingAway;
  }
  if (is(Refusal::kMalformedJson)) {
    return close_code::kBadPayload;
  }
  constexpr unsigned kFirstOfTheServers = 500;
  return problem.http < kFirstOfTheServers ? close_code::kPolicy : close_code::kInternal;
}

std::vector<std::string> JsonConversation::Greeting() { return {writer_.Open(request_id_)}; }

asio::awaitable<std::optional<Farewell>> JsonConversation::Open(const WebSocketMessage& message,
                                                                v1::InteractRequest& open) {
  if (!message.is_text) {
    co_return Failed(Refuse(Refusal::kInvalidRequest, "the first message must be open, in text"));
  }
  if (const auto wrong = ParseInteractRequest(message.bytes, open)) {
    co_return Failed(*wrong);
  }
  co_return std::nullopt;
}

std::optional<Farewell> JsonConversation::Hear(const WebSocketMessage& message,
                                               std::vector<v1::InteractRequest>& messages) {
  if (message.is_text) {
    if (const auto wrong = ParseInteractRequest(message.bytes, messages.emplace_back())) {
      messages.clear();
      return Failed(*wrong);
    }
    return std::nullopt;
  }
  for (size_t at = 0; at < message.bytes.size(); at += kStdinBytes) {
    messages.emplace_back().set_stdin(message.bytes.substr(at, kStdinBytes));
  }
  return std::nullopt;
}

std::vector<std::string> JsonConversation::Tell(const v1::RunEvent& event) { return writer_.Write(event); }

Farewell JsonConversation::Late() {
  return Failed(Refuse(Refusal::kRequestTimeout, "the first message did not come in time"));
}

Farewell JsonConversation::Finished() { return Farewell({}, close_code::kNormal, std::string()); }

Farewell JsonConversation::Failed(const Problem& problem) {
  return Farewell(writer_.Broken(ProblemJson(problem, request_id_)), CloseCodeOf(problem), problem.reason);
}

asio::awaitable<void> Interact(DaemonLink& link, ByteBudget& budget, const WebSocketBounds& bounds,
                               Exchange& exchange) {
  if (!co_await MayUpgrade(exchange, kInteractSubprotocol)) {
    co_return;
  }
  exchange.headers["Sec-WebSocket-Protocol"] = kInteractSubprotocol;
  JsonConversation conversation(exchange.request_id);
  co_await Converse(link, budget, bounds, exchange, conversation);
}

}  // namespace caisson::gateway
