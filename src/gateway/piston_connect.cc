#include "gateway/piston_connect.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "gateway/json_reader.h"
#include "gateway/piston.h"
#include "gateway/piston_answer.h"
#include "gateway/piston_request.h"

namespace caisson::gateway {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kOpeningTime{1'000};
constexpr size_t kStdinBytes = size_t{64} << 10U;  // what the daemon takes in one message

// Piston's own close codes.
constexpr uint16_t kAlreadyInitialized = 4000;
constexpr uint16_t kInitializationTimeout = 4001;
constexpr uint16_t kNotifiedError = 4002;
constexpr uint16_t kNotInitialized = 4003;
constexpr uint16_t kOnlyStdin = 4004;
constexpr uint16_t kInvalidSignal = 4005;
constexpr uint16_t kJobCompleted = 4999;

constexpr std::array<std::string_view, 10> kSignals = {"HUP",  "INT",  "QUIT", "USR1", "USR2",
                                                       "ALRM", "TERM", "CONT", "TSTP", "WINCH"};

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string ErrorText(const std::string& message) { return Dump({{"type", "error"}, {"message", message}}); }

Farewell Close(uint16_t code, const char* reason) { return Farewell({}, code, reason); }

Farewell Error(const std::string& message) {
  return Farewell({ErrorText(message)}, kNotifiedError, "Notified Error");
}

std::string_view TextOf(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get_ref<const std::string&>()
                                                   : std::string_view();
}

template <typename Value>
Json OrNull(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

std::chrono::milliseconds PistonConversation::OpeningTime(const WebSocketBounds& bounds) const {
  return std::min(bounds.idle, kOpeningTime);
}

Farewell PistonConversation::Late() { return Close(kInitializationTimeout, "Initialization Timeout"); }

asio::awaitable<std::optional<Farewell>> PistonConversation::Open(const WebSocketMessage& message,
                                                                  v1::InteractRequest& open) {
  nlohmann::json json;
  if (const auto wrong = ParseJson(message.bytes, json)) {
    co_return Failed(*wrong);
  }
  if (TextOf(json, "type") != "init") {
    co_return Close(kNotInitialized, "Not yet initialized");
  }
  std::vector<PistonRuntime> runtimes;
  if (const auto problem = co_await FetchRuntimes(link_, forwarded_, runtimes)) {
    co_return Failed(*problem);
  }
  co_return Begin(json, std::move(runtimes), open);
}

std::optional<Farewell> PistonConversation::Begin(const nlohmann::json& init,
                                                  std::vector<PistonRuntime> runtimes,
                                                  v1::InteractRequest& open) {
  runtimes_ = std::move(runtimes);
  PistonJob job;
  if (const auto refused = ParsePistonJob(init, runtimes_, job)) {
    return Error(*refused);
  }
  runtime_ = job.runtime;
  *open.mutable_open()->mutable_request() = std::move(job.request);
  return std::nullopt;
}

std::optional<Farewell> PistonConversation::Hear(const WebSocketMessage& message,
                                                 std::vector<v1::InteractRequest>& messages) {
  nlohmann::json json;
  if (const auto wrong = ParseJson(message.bytes, json)) {
    return Failed(*wrong);
  }
  const std::string_view type = TextOf(json, "type");
  if (type == "init") {
    return Close(kAlreadyInitialized, "Already Initialized");
  }
  if (type == "signal") {
    return HearSignal(json, messages);
  }
  if (type == "data") {
    if (TextOf(json, "stream") != "stdin") {
      return Close(kOnlyStdin, "Can only write to stdin");
    }
    const std::string_view data = TextOf(json, "data");
    for (size_t at = 0; at < data.size(); at += kStdinBytes) {
      messages.emplace_back().set_stdin(std::string(data.substr(at, kStdinBytes)));
    }
  }
  return std::nullopt;  // what is of no type that Piston knows, it passes over
}

std::optional<Farewell> PistonConversation::HearSignal(const nlohmann::json& message,
                                                       std::vector<v1::InteractRequest>& messages) {
  std::string_view name = TextOf(message, "signal");
  constexpr std::string_view kPrefix = "SIG";
  if (name == "SIGKILL") {
    messages.emplace_back().mutable_cancel();
    return std::nullopt;
  }
  const bool known =
      name.substr(0, kPrefix.size()) == kPrefix &&
      std::find(kSignals.begin(), kSignals.end(), name.substr(kPrefix.size())) != kSignals.end();
  if (!known) {
    return Close(kInvalidSignal, "Invalid signal");
  }
  messages.emplace_back().mutable_signal()->set_name(std::string(name.substr(kPrefix.size())));
  return std::nullopt;
}

std::vector<std::string> PistonConversation::Tell(const v1::RunEvent& event) {
  std::vector<std::string> texts;
  if (event.has_accepted()) {
    texts.push_back(Dump({{"type", "runtime"},
                          {"language", runtime_->language},
                          {"version", VersionText(runtime_->version)}}));
  } else if (event.has_started()) {
    BeginStage(texts);
  } else if (event.has_output()) {
    TellOutput(event.output(), texts);
  } else if (event.has_step_finished() && event.step_finished().step() == "compile" &&
             event.step_finished().verdict() == v1::COMPLETED && event.step_finished().exit_code() == 0) {
    v1::RunResult good;
    v1::StepResult& step = *good.add_steps();
    step.set_step("compile");
    step.set_verdict(v1::COMPLETED);
    step.set_exit_code(0);
    EndStage(good, texts);
  } else if (event.has_finished()) {
    EndStage(event.finished(), texts);
  }
  return texts;
}

void PistonConversation::BeginStage(std::vector<std::string>& texts) {
  stage_ = runtime_->compiled && !compiled_ ? "compile" : "run";
  texts.push_back(Dump({{"type", "stage"}, {"stage", stage_}}));
}

void PistonConversation::EndStage(const v1::RunResult& result, std::vector<std::string>& texts) {
  TellData(v1::STREAM_STDOUT, joiners_[0].Finish(), texts);
  TellData(v1::STREAM_STDERR, joiners_[1].Finish(), texts);
  if (stage_ == nullptr) {
    return;
  }
  const PistonEnd end = PistonEndOf(result, stage_);
  Json json = {{"type", "exit"}, {"stage", stage_}};
  json["code"] = OrNull(end.code);
  json["signal"] = OrNull(end.signal);
  texts.push_back(Dump(json));
  compiled_ = true;
  stage_ = nullptr;
}

void PistonConversation::TellOutput(const v1::Output& output, std::vector<std::string>& texts) {
  TellData(output.stream(), joiners_.at(output.stream() == v1::STREAM_STDERR ? 1 : 0).Take(output.data()),
           texts);
}

void PistonConversation::TellData(v1::Stream stream, const TextJoiner::Piece& piece,
                                  std::vector<std::string>& texts) {
  if (!piece.bytes.empty()) {
    const char* name = stream == v1::STREAM_STDERR ? "stderr" : "stdout";
    texts.push_back(Dump({{"type", "data"}, {"stream", name}, {"data", piece.bytes}}));
  }
}

Farewell PistonConversation::Finished() { return Close(kJobCompleted, "Job Completed"); }

Farewell PistonConversation::Failed(const Problem& problem) {
  if (problem.reason == RowOf(Refusal::kStopping).reason) {
    return Farewell({ErrorText(problem.detail)}, close_code::kGoingAway, problem.reason);
  }
  return Error(problem.detail);
}

asio::awaitable<void> PistonConnect(DaemonLink& link, ByteBudget& budget, const WebSocketBounds& bounds,
                                    Exchange& exchange) {
  if (!co_await MayUpgrade(exchange, {})) {
    co_return;
  }
  PistonConversation conversation(link, ForwardedOf(exchange.connection.head(), exchange.request_id));
  co_await Converse(link, budget, bounds, exchange, conversation);
}

}  // namespace caisson::gateway
