// Names of runs: "runs/" and 32 lower-case hex digits of the kernel's random numbers. Unguessable, fixed in
// form.
#ifndef CAISSON_DISPATCHER_RUN_NAME_H_
#define CAISSON_DISPATCHER_RUN_NAME_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson::dispatcher {

using RunId = std::array<uint8_t, 16>;

// Ends the program if the kernel gives no random numbers.
RunId NewRunId();
std::string RunName(const RunId& id);
// The 32 digits alone, and back; nothing where the text is anything else.
std::string RunIdText(const RunId& id);
std::optional<RunId> ParseRunId(std::string_view text);
// The id of a name in a run's form.
std::optional<RunId> RunIdOf(std::string_view name);
bool IsRunName(std::string_view name);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_NAME_H_
