#include "dispatcher/logging.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <ctime>
#include <memory>
#include <string_view>

namespace caisson::dispatcher {
namespace {

// %* in the pattern: the message as the inside of a JSON string.
class JsonMessageFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    constexpr std::string_view kHexDigits = "0123456789abcdef";
    for (const char c : message.payload) {
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (c >= 0 && c < ' ') {
        const auto code = static_cast<unsigned char>(c);
        for (const char byte : {'\\', 'u', '0', '0', kHexDigits[code >> 4U], kHexDigits[code & 0xfU]}) {
          out.push_back(byte);
        }
      } else {
        out.push_back(c);
      }
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessageFlag>();
  }
};

void LogForGrpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR) {
    spdlog::warn("grpc: {}", args->message);
  } else {
    spdlog::debug("grpc: {}", args->message);
  }
}

}  // namespace

void SetUpLogging(const std::string& format, const std::string& level) {
  auto logger =
      std::make_shared<spdlog::logger>("dispatcher", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessageFlag>('*').set_pattern(
      format == "json"
          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","process":"dispatcher","message":"%*"})"
          : "%Y-%m-%dT%H:%M:%S.%eZ %l dispatcher: %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  gpr_set_log_function(&LogForGrpc);
  // Protobuf writes a line for each message it cannot decode: clients would write our log.
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace caisson::dispatcher
