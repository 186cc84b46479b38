#include "cli/streams.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/exit_code.h"

namespace caisson::cli {

int WriteAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = write(fd, data.data(), data.size());
    if (count >= 0) {
      data.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd wanted{fd, POLLOUT, 0};
      if (poll(&wanted, 1, -1) < 0 && errno != EINTR) {
        return errno;
      }
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

void Complain(const std::string& line) { std::fprintf(stderr, "caisson: %s\n", line.c_str()); }

int Print(std::string_view text) {
  const int error = WriteAll(STDOUT_FILENO, text);
  if (error == 0) {
    return kExitOk;
  }
  if (error == EPIPE) {
    // main() ignores it, since a run must be canceled first.
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  Complain(std::string("write to standard output: ") + std::strerror(error));
  return kExitService;
}

}  // namespace caisson::cli
