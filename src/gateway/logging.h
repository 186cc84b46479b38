// The gateway's log: lines on standard error with a severity as sd-daemon(3) has it. Never client data but
// request ids, whose characters are checked.
#ifndef CAISSON_GATEWAY_LOGGING_H_
#define CAISSON_GATEWAY_LOGGING_H_

#include <string>

namespace caisson::gateway {

// `level`: spdlog's names, checked by the caller.
void SetUpLogging(const std::string& level);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_LOGGING_H_
