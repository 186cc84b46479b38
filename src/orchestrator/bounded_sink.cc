#include "orchestrator/bounded_sink.h"

#include <spdlog/details/log_msg.h>

#include <string>
#include <utility>

#include "common/clock.h"

namespace caisson::orchestrator {
namespace {

constexpr int64_t kSecondNanos = 1'000 * kNanosPerMilli;

}  // namespace

BoundedSink::BoundedSink(spdlog::sink_ptr inner, std::function<int64_t()> now_nanos)
    : inner_(std::move(inner)), now_nanos_(std::move(now_nanos)) {}

void BoundedSink::sink_it_(const spdlog::details::log_msg& message) {
  Window& window = message.level >= spdlog::level::err ? errors_ : others_;
  const int64_t now = now_nanos_();
  if (window.begin_nanos == 0 || now - window.begin_nanos >= kSecondNanos) {
    EndWindow(window, now, message.logger_name);
  }
  if (window.lines == kLogLinesPerSecond) {
    ++window.dropped;
    return;
  }
  ++window.lines;
  inner_->log(message);
}

void BoundedSink::flush_() {
  const int64_t now = now_nanos_();
  for (Window* window : {&errors_, &others_}) {
    if (now - window->begin_nanos >= kSecondNanos) {
      EndWindow(*window, now, {});
    }
  }
  inner_->flush();
}

void BoundedSink::set_formatter_(std::unique_ptr<spdlog::formatter> formatter) {
  inner_->set_formatter(std::move(formatter));
}

void BoundedSink::EndWindow(Window& window, int64_t now, spdlog::string_view_t logger) {
  const uint64_t dropped = std::exchange(window.dropped, 0);
  window.begin_nanos = now;
  window.lines = 0;
  if (dropped != 0) {
    const std::string text = std::to_string(dropped) + " log lines were dropped, there were more than " +
                             std::to_string(kLogLinesPerSecond) + " in a second";
    inner_->log(spdlog::details::log_msg(
        logger, &window == &errors_ ? spdlog::level::err : spdlog::level::warn, text));
  }
}

}  // namespace caisson::orchestrator
