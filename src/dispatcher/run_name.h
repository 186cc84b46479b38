// Names of runs: "runs/" and 32 lower-case hex digits of the kernel's random numbers. Unguessable, fixed in
// form.
#ifndef CAISSON_DISPATCHER_RUN_NAME_H_
#define CAISSON_DISPATCHER_RUN_NAME_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace caisson::dispatcher {

using RunId = std::array<uint8_t, 16>;

// Ends the program if the kernel gives no random numbers.
RunId NewRunId();
std::string RunName(const RunId& id);
bool IsRunName(std::string_view name);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_NAME_H_
