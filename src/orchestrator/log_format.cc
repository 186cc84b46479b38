#include "orchestrator/log_format.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/fmt/chrono.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/clock.h"
#include "orchestrator/bounded_sink.h"

namespace caisson::orchestrator {
namespace {

class JsonFormatter : public spdlog::formatter {
 public:
  explicit JsonFormatter(std::string program) : program_(std::move(program)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto since_epoch = message.time.time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch);
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch - seconds);
    const std::time_t time = seconds.count();
    std::tm utc{};
    gmtime_r(&time, &utc);
    const nlohmann::ordered_json line = {
        {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, millis.count())},
        {"level", std::string(spdlog::level::to_string_view(message.level).data())},
        {"program", program_},
        {"message", std::string(message.payload.data(), message.payload.size())}};
    const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>(program_);
  }

 private:
  std::string program_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> MakeJsonFormatter(std::string program) {
  return std::make_unique<JsonFormatter>(std::move(program));
}

std::shared_ptr<spdlog::logger> MakeLogger(const std::string& program, LogFormat format,
                                           spdlog::level::level_enum level) {
  auto sink =
      std::make_shared<BoundedSink>(std::make_shared<spdlog::sinks::stderr_sink_st>(), &MonotonicNanos);
  if (format == LogFormat::kJson) {
    sink->set_formatter(MakeJsonFormatter(program));
  } else {
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ " + program + " %l %v", spdlog::pattern_time_type::utc));
  }
  auto logger = std::make_shared<spdlog::logger>(program, std::move(sink));
  logger->set_level(level);
  return logger;
}

}  // namespace caisson::orchestrator
