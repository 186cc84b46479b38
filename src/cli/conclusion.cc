#include "cli/conclusion.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/exit_code.h"
#include "cli/result_text.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {

int TellResult(const v1::RunResult& result, const std::optional<absl::StatusOr<std::string>>& json) {
  const int code = ExitCodeFor(result);
  if (json.has_value()) {
    if (!json->ok()) {
      Complain(Printable(Message(json->status())));
      return kExitService;
    }
    if (const int error = WriteAll(STDOUT_FILENO, **json + "\n"); error != 0 && error != EPIPE) {
      Complain(std::string("write to standard output: ") + std::strerror(error));
      return kExitService;
    }
  }
  if (!json.has_value() || code == kExitService) {
    for (const std::string& line : ResultLines(result)) {
      Complain(line);
    }
  }
  return code;
}

}  // namespace caisson::cli
