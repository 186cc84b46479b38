// GET /api/v2/connect: Piston's WebSocket, an interactive run in Piston's messages and close codes;
// docs/piston.md has them. Untrusted: every message of the client, and what the program puts out.
#ifndef CAISSON_GATEWAY_PISTON_CONNECT_H_
#define CAISSON_GATEWAY_PISTON_CONNECT_H_

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "gateway/awaitable.h"
#include "gateway/daemon_call.h"
#include "gateway/interact.h"
#include "gateway/piston_runtime.h"
#include "gateway/text_joiner.h"

namespace caisson::gateway {

class PistonConversation final : public Conversation {
 public:
  PistonConversation(DaemonLink& link, Forwarded forwarded) : link_(link), forwarded_(std::move(forwarded)) {}

  std::vector<std::string> Greeting() override { return {}; }
  std::chrono::milliseconds OpeningTime(const WebSocketBounds& bounds) const override;
  Farewell Late() override;
  boost::asio::awaitable<std::optional<Farewell>> Open(const WebSocketMessage& message,
                                                       v1::InteractRequest& open) override;
  std::optional<Farewell> Hear(const WebSocketMessage& message,
                               std::vector<v1::InteractRequest>& messages) override;
  std::vector<std::string> Tell(const v1::RunEvent& event) override;
  Farewell Finished() override;
  Farewell Failed(const Problem& problem) override;

  // What Open does once it has the runtimes.
  std::optional<Farewell> Begin(const nlohmann::json& init, std::vector<PistonRuntime> runtimes,
                                v1::InteractRequest& open);

 private:
  std::optional<Farewell> HearSignal(const nlohmann::json& message,
                                     std::vector<v1::InteractRequest>& messages);
  void TellOutput(const v1::Output& output, std::vector<std::string>& texts);
  void TellData(v1::Stream stream, const TextJoiner::Piece& piece, std::vector<std::string>& texts);
  void BeginStage(std::vector<std::string>& texts);
  // The end of the stage that goes on, where one does.
  void EndStage(const v1::RunResult& result, std::vector<std::string>& texts);

  DaemonLink& link_;
  const Forwarded forwarded_;
  std::vector<PistonRuntime> runtimes_;
  const PistonRuntime* runtime_ = nullptr;
  const char* stage_ = nullptr;  // "compile" or "run", while it goes on
  bool compiled_ = false;        // the stage "compile" is over
  std::array<TextJoiner, 2> joiners_;
};

boost::asio::awaitable<void> PistonConnect(DaemonLink& link, ByteBudget& budget,
                                           const WebSocketBounds& bounds, Exchange& exchange);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_PISTON_CONNECT_H_
