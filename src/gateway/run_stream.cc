#include "gateway/run_stream.h"

#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "common/status.h"
#include "gateway/client_watch.h"
#include "gateway/daemon_call.h"
#include "gateway/event_json.h"
#include "gateway/request_json.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kHeartbeat{15};

// Beats while it lives.
class Heart {
 public:
  explicit Heart(HttpConnection& connection) : state_(std::make_shared<State>(connection)) { Wait(state_); }
  ~Heart() {
    state_->active = false;
    state_->timer.cancel();
  }
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

 private:
  struct State {
    explicit State(HttpConnection& of) : connection(of), timer(of.socket().get_executor()) {}
    HttpConnection& connection;
    asio::steady_timer timer;
    bool active = true;
  };
  static void Wait(const std::shared_ptr<State>& state) {
    state->timer.expires_after(kHeartbeat);
    state->timer.async_wait([state](const boost::system::error_code& error) {
      if (!error && state->active) {
        state->connection.Heartbeat();
        Wait(state);
      }
    });
  }
  std::shared_ptr<State> state_;
};

Problem ProblemOfEnd(const Exchange& exchange, const grpc::Status& status) {
  return exchange.stopping ? Refuse(Refusal::kStopping, "the gateway is being stopped, and the call with it")
                           : ProblemOfCall(status);
}

// The first events as they come, until the call's end. The head of the answer waits for the first event: a
// call that is refused has a status of its own.
asio::awaitable<void> StreamEvents(EventCall& call, Exchange& exchange, EventWriter& writer) {
  HttpConnection& connection = exchange.connection;
  bool alive = true;
  const auto end = [&] {
    alive = false;
    call.Cancel();
  };
  exchange.cancel = [&call] { call.Cancel(); };
  std::unique_ptr<Heart> heart;
  bool began = false;
  {
    const ClientWatch watch(connection.socket(), [&] {
      connection.Abort();
      end();
    });
    v1::RunEvent event;
    // One event at a time: where the client does not read, the daemon's stream stands still, and the program.
    while (co_await call.Next(event)) {
      if (!alive) {
        continue;
      }
      if (!co_await connection.WaitForEventRoom(event.ByteSizeLong())) {
        end();
        continue;
      }
      std::string text;
      if (!began) {
        began = true;
        exchange.status = 200;
        alive = co_await connection.BeginEvents(exchange.headers);
        text = writer.Open(exchange.request_id);
        heart = std::make_unique<Heart>(connection);
      }
      text += Joined(writer.Write(event));
      if (alive && !text.empty()) {
        alive = co_await connection.WriteEvents(std::move(text));
      }
      if (!alive) {
        end();
      }
    }
    heart.reset();
  }
  const grpc::Status status = co_await call.Finish();
  exchange.cancel = nullptr;
  if (!alive) {
    co_return;
  }
  if (!began) {
    const Problem problem = status.ok() ? Refuse(Refusal::kInternal, "the daemon's answer had no event")
                                        : ProblemOfEnd(exchange, status);
    co_return co_await Calls::RespondProblem(exchange, problem);
  }
  if (!status.ok()) {
    std::string last =
        Joined(writer.Broken(ProblemJson(ProblemOfEnd(exchange, status), exchange.request_id)));
    alive = co_await connection.WriteEvents(std::move(last));
  }
  if (alive) {
    co_await connection.EndEvents();
  }
}

std::optional<uint64_t> NumberOf(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// Where the follower goes on: the id of the last event it has, or the query's numbers.
std::optional<Problem> ReadOffsets(const Exchange& exchange, Offsets& offsets) {
  const auto last_id = exchange.connection.head()["Last-Event-ID"];
  if (!last_id.empty()) {
    const std::optional<Offsets> read = Offsets::Parse(std::string_view(last_id.data(), last_id.size()));
    if (!read) {
      return Refuse(Refusal::kInvalidRequest, "Last-Event-ID is not the id of an event of this stream");
    }
    offsets = *read;
    return std::nullopt;
  }
  const std::map<std::string, uint64_t*> places = {{"stdout", &offsets.run_stdout},
                                                   {"stderr", &offsets.run_stderr},
                                                   {"compile_stdout", &offsets.compile_stdout},
                                                   {"compile_stderr", &offsets.compile_stderr}};
  for (const auto& [name, value] : exchange.route.query) {
    const auto place = places.find(name);
    const std::optional<uint64_t> number = NumberOf(value);
    if (place == places.end() || !number) {
      return Refuse(Refusal::kInvalidQuery,
                    "the query may have stdout, stderr, compile_stdout and compile_stderr, numbers of bytes");
    }
    *place->second = *number;
  }
  return std::nullopt;
}

v1::FollowRunRequest FollowRequest(const std::string& run, const Offsets& offsets) {
  v1::FollowRunRequest request;
  request.set_name(run);
  const auto add = [&](const char* step, v1::Stream stream, uint64_t offset) {
    if (offset > 0) {
      auto* entry = request.add_offsets();
      entry->set_step(step);
      entry->set_stream(stream);
      entry->set_offset(offset);
    }
  };
  add("compile", v1::STREAM_STDOUT, offsets.compile_stdout);
  add("compile", v1::STREAM_STDERR, offsets.compile_stderr);
  add("run", v1::STREAM_STDOUT, offsets.run_stdout);
  add("run", v1::STREAM_STDERR, offsets.run_stderr);
  return request;
}

std::optional<Problem> TakeEvent(const v1::RunEvent& event, RunAnswer& answer, ByteBudget::Share& share) {
  if (!answer.Take(event)) {
    return Refuse(Refusal::kAnswerTooLarge, "output and files have more than " +
                                                std::to_string(RunAnswer::kMaxBytes >> 21U) +
                                                " MiB; with Accept: text/event-stream they come as they are");
  }
  if (!share.Hold(answer.bytes())) {
    return Refuse(Refusal::kBusy, "other answers take all the room there is");
  }
  return std::nullopt;
}

}  // namespace

asio::awaitable<std::optional<Problem>> RunToEnd(DaemonLink& link, ByteBudget::Share& share,
                                                 Exchange& exchange, v1::ExecuteRequest& request,
                                                 RunAnswer& answer) {
  const auto daemon = link.Connection();
  if (!daemon.ok()) {
    co_return Unreachable(Message(daemon.status()));
  }
  EventCall call(link, *daemon, ForwardedOf(exchange.connection.head(), exchange.request_id));
  exchange.cancel = [&call] { call.Cancel(); };
  std::optional<Problem> refused;
  grpc::Status status;
  {
    const ClientWatch watch(exchange.connection.socket(), [&] {
      exchange.connection.Abort();
      call.Cancel();
    });
    co_await call.Start(&v1::RunService::Stub::PrepareAsyncExecute, request);
    v1::ExecuteRequest().Swap(&request);  // Clear would keep its memory for as long as the run takes
    std::vector<v1::RunEvent> events;
    while (co_await call.Gather(events, status)) {
      exchange.connection.ReleaseBody();  // whoever says something of the run has all of the request
      for (const v1::RunEvent& event : events) {
        if (!refused) {
          refused = TakeEvent(event, answer, share);
        }
      }
      if (refused) {
        call.Cancel();
      }
    }
  }
  exchange.cancel = nullptr;
  if (!refused && !status.ok()) {
    refused = ProblemOfEnd(exchange, status);
  }
  if (!refused && !answer.finished()) {
    refused = Refuse(Refusal::kInternal, "the daemon's answer had no end");
  }
  co_return refused;
}

asio::awaitable<void> Execute(DaemonLink& link, ByteBudget& budget, Exchange& exchange) {
  const Answer form = Accepted(exchange.connection.head());
  if (form == Answer::kNeither) {
    const Problem problem =
        Refuse(Refusal::kNotAcceptable, "this path answers application/json or text/event-stream");
    co_return co_await Calls::RespondProblem(exchange, problem);
  }
  v1::ExecuteRequest request;
  if (const auto wrong = ParseExecuteRequest(exchange.connection.body(), request)) {
    co_return co_await Calls::RespondProblem(exchange, *wrong);
  }
  exchange.connection.DropBody();
  if (form == Answer::kEvents) {
    const auto daemon = link.Connection();
    if (!daemon.ok()) {
      const Problem problem = Unreachable(Message(daemon.status()));
      co_return co_await Calls::RespondProblem(exchange, problem);
    }
    EventCall call(link, *daemon, ForwardedOf(exchange.connection.head(), exchange.request_id));
    co_await call.Start(&v1::RunService::Stub::PrepareAsyncExecute, request);
    v1::ExecuteRequest().Swap(&request);
    EventWriter writer(Framing::kEventStream);
    co_return co_await StreamEvents(call, exchange, writer);
  }
  std::string json;
  {
    ByteBudget::Share share(budget);
    RunAnswer answer;
    const std::optional<Problem> refused = co_await RunToEnd(link, share, exchange, request, answer);
    if (refused) {
      co_return co_await Calls::RespondProblem(exchange, *refused);
    }
    json = answer.Json();
  }
  co_await Calls::RespondJson(exchange, std::move(json));
}

asio::awaitable<void> Follow(DaemonLink& link, Exchange& exchange) {
  const auto last_id = exchange.connection.head()["Last-Event-ID"];
  if (last_id == kLastId) {
    // A browser comes again after every end of a stream; this tells it not to.
    exchange.status = 204;
    Response nothing(204, std::string(), std::string(), exchange.headers);
    co_await exchange.connection.Respond(std::move(nothing));
    co_return;
  }
  Offsets offsets;
  if (const auto wrong = ReadOffsets(exchange, offsets)) {
    co_return co_await Calls::RespondProblem(exchange, *wrong);
  }
  const auto daemon = link.Connection();
  if (!daemon.ok()) {
    const Problem problem = Unreachable(Message(daemon.status()));
    co_return co_await Calls::RespondProblem(exchange, problem);
  }
  EventCall call(link, *daemon, ForwardedOf(exchange.connection.head(), exchange.request_id));
  const v1::FollowRunRequest request = FollowRequest(exchange.route.run, offsets);
  co_await call.Start(&v1::RunService::Stub::PrepareAsyncFollowRun, request);
  EventWriter writer(Framing::kResumable, offsets);
  co_await StreamEvents(call, exchange, writer);
}

}  // namespace caisson::gateway
