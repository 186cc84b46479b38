// Cuts what an untrusted process writes to its standard error into lines that may stand in caissond's log:
// bounded in length, one line each, nothing in them that a terminal obeys. Pure.
#ifndef CAISSON_ORCHESTRATOR_LOG_LINES_H_
#define CAISSON_ORCHESTRATOR_LOG_LINES_H_

#include <spdlog/common.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::orchestrator {

inline constexpr size_t kMaxLogLineBytes =
    4096;  // as it was written; escaping makes it at most four times longer

struct LogLine {
  spdlog::level::level_enum level = spdlog::level::warn;
  std::string text;
};

// Takes bytes in whatever pieces they arrive. A line may begin with its severity as sd-daemon(3) writes it,
// "<4>"; one without counts as a warning, since our own dispatcher never writes one. Not thread-safe.
class LogLines {
 public:
  // Appends the lines that `bytes` complete. What is longer than kMaxLogLineBytes is cut, and says so.
  void Feed(std::string_view bytes, std::vector<LogLine>& lines);
  // At the end: the last line may lack its newline.
  void Finish(std::vector<LogLine>& lines);

 private:
  void Complete(std::vector<LogLine>& lines);

  std::string partial_;
  size_t cut_bytes_ = 0;
};

// Printable ASCII as it is, everything else and the backslash as \xNN.
std::string EscapeForLog(std::string_view text);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_LOG_LINES_H_
