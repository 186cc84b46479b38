// The user's own terminal, while a run with --tty has it: raw, so that every key goes to the program.
#ifndef CAISSON_CLI_TERMINAL_H_
#define CAISSON_CLI_TERMINAL_H_

#include <cstdint>

#include "absl/status/status.h"

namespace caisson::cli {

struct TerminalSize {
  uint32_t rows = 0;
  uint32_t columns = 0;
};

// 0 by 0 when `fd` is no terminal or does not know.
TerminalSize ReadTerminalSize(int fd);

// Makes the terminal on standard input raw (cfmakeraw) for as long as it lives. There can be one.
class RawTerminal {
 public:
  RawTerminal() = default;
  ~RawTerminal() { RestoreTerminal(); }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  // Whether every key is a byte for the program, or Ctrl-C and Ctrl-\ still send their signals (Ctrl-Z does
  // not).
  enum class Keys : bool { kBytes, kSignals };
  absl::Status Enter(Keys keys = Keys::kBytes);

  // What Enter changed is put back; without effect otherwise. For every way out, _exit included:
  // async-signal-safe.
  static void RestoreTerminal();
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_TERMINAL_H_
