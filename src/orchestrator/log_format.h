// The log: lines on standard error, for people or as JSON objects; bounded in number (bounded_sink.h).
#ifndef CAISSON_ORCHESTRATOR_LOG_FORMAT_H_
#define CAISSON_ORCHESTRATOR_LOG_FORMAT_H_

#include <spdlog/formatter.h>
#include <spdlog/logger.h>

#include <memory>
#include <string>

#include "orchestrator/config.h"

namespace caisson::orchestrator {

// {"time": RFC 3339 UTC, "level", "program", "message"}; the message is escaped, whatever it holds.
std::unique_ptr<spdlog::formatter> MakeJsonFormatter(std::string program);

// A logger to standard error whose every line says that it is of `program`.
std::shared_ptr<spdlog::logger> MakeLogger(const std::string& program, LogFormat format,
                                           spdlog::level::level_enum level);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_LOG_FORMAT_H_
