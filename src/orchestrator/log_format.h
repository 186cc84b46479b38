// Log lines as JSON, one object a line, for machines.
#ifndef CAISSON_ORCHESTRATOR_LOG_FORMAT_H_
#define CAISSON_ORCHESTRATOR_LOG_FORMAT_H_

#include <spdlog/formatter.h>

#include <memory>
#include <string>

namespace caisson::orchestrator {

// {"time": RFC 3339 UTC, "level", "program", "message"}; the message is escaped, whatever it holds.
std::unique_ptr<spdlog::formatter> MakeJsonFormatter(std::string program);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_LOG_FORMAT_H_
