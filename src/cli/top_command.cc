// One thread of ours: it asks, draws, and waits for a key, a signal or the next moment. Untrusted: all that
// the server says, which top_text.h makes printable.
#include "cli/top_command.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <limits>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/streams.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/top_text.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::cli {
namespace {

constexpr int64_t kMillisPerSecond = 1000;
constexpr char kCtrlC = 3;
constexpr char kEnterScreen[] = "\x1b[?1049h\x1b[?25l";  // the alternate screen, no cursor
constexpr char kLeaveScreen[] = "\x1b[?25h\x1b[?1049l";

// What was asked last stays in `view` where the server does not answer.
grpc::Status Look(Client& client, TopView& view) {
  v1::ServerInfo info;
  grpc::Status status = client.GetServerInfo(info);
  std::vector<v1::Run> runs;
  if (status.ok()) {
    status = client.ListRuns("state != FINISHED", std::numeric_limits<size_t>::max(), runs);
  }
  view.trouble = status.ok() ? "" : client.Explain(status);
  if (status.ok()) {
    view.info = std::move(info);
    view.runs = std::move(runs);
  }
  return status;
}

// A raw terminal starts no line by itself, and what was longer before must go.
std::string Drawn(const std::string& text) {
  std::string out = "\x1b[H";
  for (const char c : text) {
    out += c == '\n' ? std::string("\x1b[K\r\n") : std::string(1, c);
  }
  return out + "\x1b[J";
}

class Screen {
 public:
  Screen() { (void)WriteAll(STDOUT_FILENO, kEnterScreen); }
  ~Screen() { (void)WriteAll(STDOUT_FILENO, kLeaveScreen); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
};

absl::StatusOr<UniqueFd> TakeSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) {
    sigaddset(&signals, number);
  }
  if (const int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return ErrnoStatus(error, "block signals");
  }
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    return ErrnoStatus(errno, "signalfd");
  }
  return fd;
}

// Whether to go on, after a moment, a key or a new size.
bool Wait(int signals, bool has_keys, int milliseconds) {
  std::array<pollfd, 2> waiting{pollfd{signals, POLLIN, 0}, pollfd{has_keys ? STDIN_FILENO : -1, POLLIN, 0}};
  if (poll(waiting.data(), waiting.size(), milliseconds) <= 0) {
    return true;
  }
  if (waiting[0].revents != 0) {
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo != SIGWINCH) {
        return false;
      }
    }
  }
  char key = 0;
  return waiting[1].revents == 0 ||
         (read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' && key != kCtrlC);
}

}  // namespace

int TopCommand(const TopOptions& options, const std::string& address) {
  // Before gRPC has a thread that could take them.
  absl::StatusOr<UniqueFd> signals = TakeSignals();
  if (!signals.ok()) {
    Complain(Message(signals.status()));
    return kExitService;
  }
  const bool once = options.once || isatty(STDOUT_FILENO) == 0;
  Client client(address);
  TopView view;
  view.address = address;
  if (const grpc::Status status = Look(client, view); !status.ok()) {
    Complain(client.Explain(status));
    return kExitService;
  }
  if (once) {
    return Print(TopText(view, std::time(nullptr), {}));
  }
  RawTerminal raw;
  const bool has_keys = isatty(STDIN_FILENO) != 0;
  if (has_keys) {
    if (const absl::Status status = raw.Enter(); !status.ok()) {
      Complain(Message(status));
      return kExitService;
    }
  }
  const Screen screen;
  const int interval_ms = static_cast<int>(options.interval_seconds * kMillisPerSecond);
  for (;;) {
    const std::string text = TopText(view, std::time(nullptr), ReadTerminalSize(STDOUT_FILENO));
    if (WriteAll(STDOUT_FILENO, Drawn(text)) != 0) {
      return kExitService;  // the terminal is gone
    }
    if (!Wait(signals->get(), has_keys, interval_ms)) {
      return kExitOk;
    }
    (void)Look(client, view);  // what failed is in the picture
  }
}

}  // namespace caisson::cli
