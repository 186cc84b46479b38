#include "gateway/logging.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace caisson::gateway {
namespace {

void LogForGrpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR) {
    spdlog::warn("grpc: {}", args->message);
  } else {
    spdlog::debug("grpc: {}", args->message);
  }
}

}  // namespace

void SetUpLogging(const std::string& level) {
  auto logger =
      std::make_shared<spdlog::logger>("gateway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  // In UTC: the zone's file could not be read after the lockdown.
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l caisson-gateway: %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  gpr_set_log_function(&LogForGrpc);
  // Protobuf writes a line for each message it cannot read: clients would write our log.
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace caisson::gateway
