// Small pieces of parsing that the kernel's text files share. Pure.
#ifndef CAISSON_ORCHESTRATOR_PROC_TEXT_H_
#define CAISSON_ORCHESTRATOR_PROC_TEXT_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace caisson::orchestrator {

// Takes the first line off `text`, without its newline.
std::string_view TakeLine(std::string_view& text);
// The words between blanks and tabs.
std::vector<std::string_view> SplitBlank(std::string_view text);
// All of `text` as one number; absent if it is not exactly that.
std::optional<uint64_t> ParseNumber(std::string_view text, int base);
// The value of "Key:\tvalue" in /proc/PID/status, without surrounding blanks; absent if there is no such
// line.
std::optional<std::string_view> StatusField(std::string_view status, std::string_view key);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_PROC_TEXT_H_
