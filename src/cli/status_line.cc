#include "cli/status_line.h"

#include <unistd.h>

#include <cstdio>

namespace caisson::cli {

StatusLine::StatusLine() : wanted_(isatty(STDERR_FILENO) != 0) {}

void StatusLine::Show(const std::string& text) {
  if (wanted_) {
    std::fprintf(stderr, "\rcaisson: %s\x1b[K", text.c_str());
    shown_ = true;
  }
}

void StatusLine::Clear() {
  if (shown_) {
    std::fputs("\r\x1b[K", stderr);
    shown_ = false;
  }
}

}  // namespace caisson::cli
