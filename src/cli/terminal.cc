#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "common/status.h"

namespace caisson::cli {
namespace {

// There is one standard input, and it must be put back from wherever the program ends.
termios g_before;
std::atomic<bool> g_raw{false};

}  // namespace

TerminalSize ReadTerminalSize(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) {
    return {};
  }
  return {size.ws_row, size.ws_col};
}

absl::Status RawTerminal::Enter(Keys keys) {
  if (tcgetattr(STDIN_FILENO, &g_before) != 0) {
    return ErrnoStatus(errno, "read the terminal's settings");
  }
  termios raw = g_before;
  cfmakeraw(&raw);
  if (keys == Keys::kSignals) {
    raw.c_lflag |= ISIG;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;
  }
  g_raw.store(true);
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) {
    g_raw.store(false);
    return ErrnoStatus(errno, "make the terminal raw");
  }
  return absl::OkStatus();
}

void RawTerminal::RestoreTerminal() {
  if (g_raw.exchange(false)) {
    static_cast<void>(tcsetattr(STDIN_FILENO, TCSADRAIN, &g_before));
  }
}

}  // namespace caisson::cli
