// Sets up the dispatcher's log: lines on standard error, a pipe to caissond, which bounds them, dates them
// and writes them to the log as the dispatcher's. Never client data.
#ifndef CAISSON_DISPATCHER_LOGGING_H_
#define CAISSON_DISPATCHER_LOGGING_H_

#include <string>

namespace caisson::dispatcher {

// `level`: spdlog's names, checked by the caller.
void SetUpLogging(const std::string& level);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_LOGGING_H_
