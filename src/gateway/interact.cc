#include "gateway/interact.h"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "common/status.h"
#include "gateway/daemon_call.h"
#include "gateway/latch.h"
#include "gateway/upgrade.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;

// A request of 16 MiB, all of it files in base64; later a chunk of a file of 1 MiB, likewise.
constexpr size_t kFirstMessageBytes = size_t{24} << 20U;
constexpr size_t kMessageBytes = size_t{2} << 20U;

// Two coroutines: Run tells the client what the daemon says, Listen the daemon what the client says. Run
// begins Listen and waits for its end.
class Interaction {
 public:
  Interaction(DaemonLink& link, ByteBudget& budget, const WebSocketBounds& bounds, Exchange& exchange,
              Conversation& conversation)
      : link_(link),
        bounds_(bounds),
        exchange_(exchange),
        conversation_(conversation),
        executor_(exchange.connection.socket().get_executor()),
        socket_(exchange.connection, bounds, budget, [this] { Leave(); }),
        came_(executor_),
        opened_(executor_),
        started_(executor_),
        written_(executor_),
        listened_(executor_) {}
  Interaction(const Interaction&) = delete;
  Interaction& operator=(const Interaction&) = delete;

  asio::awaitable<void> Run();

 private:
  asio::awaitable<void> Talk();
  asio::awaitable<void> Call();
  asio::awaitable<void> EndTalk();
  asio::awaitable<void> Listen();
  asio::awaitable<bool> Forward(const v1::InteractRequest& message);
  asio::awaitable<bool> Say(std::vector<std::string> texts);
  // Ends the run, and with it the conversation; the first reason is the one that is told.
  void Part(Farewell farewell);
  void Stop();
  // The client is gone: nothing is told any more.
  void Leave();
  void NoMore(const std::optional<Problem>& refused);
  void EndCall();

  DaemonLink& link_;
  const WebSocketBounds bounds_;
  Exchange& exchange_;
  Conversation& conversation_;
  const asio::any_io_executor executor_;
  WebSocket socket_;
  v1::InteractRequest open_;
  std::unique_ptr<InteractCall> call_;  // ORDER: until its Finish was waited for
  std::optional<Farewell> farewell_;
  Latch came_;      // the first message, or there will be none
  Latch opened_;    // open_ is there, or there will be none
  Latch started_;   // open_ is on its way, or there will be no call
  Latch written_;   // after over_: nothing is being written to the daemon
  Latch listened_;  // Listen has ended
  bool ready_ = false;
  bool writing_ = false;
  bool over_ = false;  // nothing may be written to the daemon any more
  bool gone_ = false;
};

void Interaction::EndCall() {
  if (call_ != nullptr) {
    call_->Cancel();
  }
  came_.Set();
  opened_.Set();
}

void Interaction::Part(Farewell farewell) {
  if (!farewell_) {
    farewell_ = std::move(farewell);
  }
  EndCall();
}

void Interaction::Stop() {
  socket_.Hurry();
  Part(conversation_.Failed(Refuse(Refusal::kStopping, "the gateway is being stopped, and the run with it")));
}

void Interaction::Leave() {
  gone_ = true;
  EndCall();
}

void Interaction::NoMore(const std::optional<Problem>& refused) {
  if (refused) {
    Part(conversation_.Failed(*refused));
  } else {
    Leave();
  }
}

asio::awaitable<bool> Interaction::Say(std::vector<std::string> texts) {
  for (std::string& text : texts) {
    if (gone_) {
      co_return false;
    }
    const bool sent = co_await socket_.Send(std::move(text));
    if (!sent) {
      Leave();
      co_return false;
    }
  }
  co_return true;
}

asio::awaitable<bool> Interaction::Forward(const v1::InteractRequest& message) {
  if (over_) {
    co_return false;
  }
  writing_ = true;
  const bool took = co_await call_->Write(message);
  writing_ = false;
  if (over_) {
    written_.Set();
  }
  co_return took;
}

// One message at a time: while the daemon does not take it, nothing is read, and the client's writes wait.
asio::awaitable<void> Interaction::Listen() {
  WebSocketMessage message;
  std::optional<Problem> refused;
  if (!co_await socket_.Receive(kFirstMessageBytes, message, refused)) {
    co_return NoMore(refused);
  }
  came_.Set();
  std::optional<Farewell> wrong = co_await conversation_.Open(message, open_);
  WebSocket::Drop(message);
  if (wrong) {
    Part(*std::move(wrong));
    co_return;
  }
  ready_ = true;
  opened_.Set();
  co_await started_.Wait();
  socket_.Forget(message);
  bool takes = true;
  while (takes && !over_) {
    if (!co_await socket_.Receive(kMessageBytes, message, refused)) {
      co_return NoMore(refused);
    }
    std::vector<v1::InteractRequest> messages;
    wrong = conversation_.Hear(message, messages);
    WebSocket::Drop(message);
    for (const v1::InteractRequest& next : messages) {
      takes = takes && co_await Forward(next);
    }
    socket_.Forget(message);
    if (wrong) {
      Part(*std::move(wrong));
      co_return;
    }
  }
}

asio::awaitable<void> Interaction::Call() {
  const auto daemon = link_.Connection();
  if (!daemon.ok()) {
    Part(conversation_.Failed(Unreachable(Message(daemon.status()))));
    co_return;
  }
  const Forwarded forwarded = ForwardedOf(exchange_.connection.head(), exchange_.request_id);
  call_ = std::make_unique<InteractCall>(link_, *daemon, forwarded);
  co_await call_->Start();
  static_cast<void>(co_await Forward(open_));
  v1::InteractRequest().Swap(&open_);  // Clear would keep its memory
  started_.Set();
  bool finished = false;
  v1::RunEvent event;
  // One event at a time: where the client does not read, the daemon's stream stands still, and the program.
  while (co_await call_->Next(event)) {
    if (gone_ || farewell_) {
      continue;
    }
    finished = event.has_finished();
    if (!co_await socket_.WaitForEventRoom(event.ByteSizeLong())) {
      Leave();
      continue;
    }
    std::vector<std::string> texts = conversation_.Tell(event);
    static_cast<void>(co_await Say(std::move(texts)));
  }
  over_ = true;
  if (writing_) {
    co_await written_.Wait();
  }
  const grpc::Status status = co_await call_->Finish();
  call_ = nullptr;
  if (status.ok() && finished) {
    Part(conversation_.Finished());
  } else {
    Part(conversation_.Failed(status.ok() ? Refuse(Refusal::kInternal, "the daemon's answer had no end")
                                          : ProblemOfCall(status)));
  }
}

asio::awaitable<void> Interaction::Talk() {
  std::vector<std::string> greeting = conversation_.Greeting();
  const bool greeted = co_await Say(std::move(greeting));
  if (!greeted) {
    co_return;
  }
  const std::chrono::milliseconds time = conversation_.OpeningTime(bounds_);
  if (!co_await came_.WaitFor(time)) {
    Part(conversation_.Late());
  }
  co_await opened_.Wait();
  if (ready_ && !farewell_ && !gone_) {
    co_await Call();
  }
}

// Whatever came of the talk: nothing of the call is under way afterwards.
asio::awaitable<void> Interaction::EndTalk() {
  over_ = true;
  started_.Set();
  if (call_ == nullptr) {
    co_return;
  }
  call_->Cancel();
  if (writing_) {
    co_await written_.Wait();
  }
  static_cast<void>(co_await call_->Finish());
  call_ = nullptr;
}

asio::awaitable<void> Interaction::Run() {
  if (!co_await socket_.Accept(exchange_.headers)) {
    co_return co_await socket_.Close(close_code::kInternal, std::string());
  }
  exchange_.cancel = [this] { Stop(); };
  asio::co_spawn(executor_, Listen(), [this](const std::exception_ptr& error) {
    if (error != nullptr) {
      Leave();
    }
    listened_.Set();
  });
  try {
    co_await Talk();
  } catch (const std::exception& failure) {
    spdlog::error("{} broke off: {}", exchange_.request_id, failure.what());
    Leave();
  }
  co_await EndTalk();
  uint16_t code = close_code::kInternal;
  std::string reason;
  if (farewell_) {
    code = farewell_->code;
    reason = farewell_->reason;
    static_cast<void>(co_await Say(farewell_->texts));
  }
  co_await socket_.Close(code, std::move(reason));
  co_await listened_.Wait();
  exchange_.cancel = nullptr;
}

}  // namespace

asio::awaitable<void> Converse(DaemonLink& link, ByteBudget& budget, const WebSocketBounds& bounds,
                               Exchange& exchange, Conversation& conversation) {
  exchange.status = 101;
  Interaction interaction(link, budget, bounds, exchange, conversation);
  co_await interaction.Run();
}

asio::awaitable<bool> MayUpgrade(Exchange& exchange, std::string_view subprotocol) {
  std::optional<Problem> refused = CheckUpgrade(exchange.connection.head(), subprotocol);
  if (!refused && exchange.connection.has_more()) {
    refused = Refuse(Refusal::kMalformedHttp, "nothing may follow the request before it is answered");
    exchange.connection.Close();
  }
  if (!refused) {
    co_return true;
  }
  if (refused->http == RowOf(Refusal::kUpgradeRequired).http) {
    exchange.headers["Upgrade"] = "websocket";
    exchange.headers["Sec-WebSocket-Version"] = "13";
  }
  co_await Calls::RespondProblem(exchange, *refused);
  co_return false;
}

}  // namespace caisson::gateway
