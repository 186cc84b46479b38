// Sets up the dispatcher's log: lines on standard error, as text or JSON. Never client data.
#ifndef CAISSON_DISPATCHER_LOGGING_H_
#define CAISSON_DISPATCHER_LOGGING_H_

#include <string>

namespace caisson::dispatcher {

// `format`: "text" or "json"; `level`: spdlog's names. Both checked by the caller.
void SetUpLogging(const std::string& format, const std::string& level);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_LOGGING_H_
