// The main thread asks, draws, and waits for a key, a new size or the next moment. A signal ends the program
// at once, on InterruptWatcher's thread, also while the server keeps an answer back. Untrusted: all that the
// server says, which top_text.h makes printable.
#include "cli/top_command.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cli/client.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/streams.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/top_text.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::cli {
namespace {

constexpr int64_t kMillisPerSecond = 1000;
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

// The alternate screen, from Enter on.
class Screen {
 public:
  Screen() = default;
  ~Screen() { Leave(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void Enter() {
    const std::lock_guard<std::mutex> lock(mutex_);
    entered_ = true;
    (void)WriteAll(STDOUT_FILENO, kEnterScreen);
  }
  // False where the terminal is gone.
  bool Draw(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return WriteAll(STDOUT_FILENO, Drawn(text)) == 0;
  }
  // From any thread; nothing is drawn any more while it leaves.
  [[noreturn]] void Exit() {
    mutex_.lock();
    RawTerminal::RestoreTerminal();
    if (entered_) {
      (void)WriteAll(STDOUT_FILENO, kLeaveScreen);
    }
    _exit(entered_ ? kExitOk : kExitCanceled);
  }

 private:
  void Leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (entered_) {
      (void)WriteAll(STDOUT_FILENO, kLeaveScreen);
    }
  }

  std::mutex mutex_;
  bool entered_ = false;
};

// New sizes of the terminal.
absl::StatusOr<UniqueFd> WatchSizes() {
  sigset_t sizes;
  sigemptyset(&sizes);
  sigaddset(&sizes, SIGWINCH);
  if (const int error = pthread_sigmask(SIG_BLOCK, &sizes, nullptr); error != 0) {
    return ErrnoStatus(error, "block signals");
  }
  UniqueFd fd(signalfd(-1, &sizes, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    return ErrnoStatus(errno, "signalfd");
  }
  return fd;
}

// Whether to go on, after a moment, a key or a new size.
bool Wait(int sizes, bool has_keys, int milliseconds) {
  std::array<pollfd, 2> waiting{pollfd{sizes, POLLIN, 0}, pollfd{has_keys ? STDIN_FILENO : -1, POLLIN, 0}};
  if (poll(waiting.data(), waiting.size(), milliseconds) <= 0) {
    return true;
  }
  signalfd_siginfo info{};
  while (waiting[0].revents != 0 && read(sizes, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
  }
  char key = 0;
  return waiting[1].revents == 0 || (read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q');
}

int Fail(const absl::Status& status) {
  Complain(Message(status));
  return kExitService;
}

}  // namespace

int TopCommand(const TopOptions& options, const Server& server) {
  // Both before gRPC has a thread that could take the signals.
  const absl::StatusOr<UniqueFd> sizes = WatchSizes();
  if (!sizes.ok()) {
    return Fail(sizes.status());
  }
  Screen screen;
  const absl::StatusOr<std::unique_ptr<InterruptWatcher>> watcher =
      InterruptWatcher::Create({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
  if (!watcher.ok()) {
    return Fail(watcher.status());
  }
  (*watcher)->Start([&screen] { screen.Exit(); });
  Client client(server);
  TopView view;
  view.address = server.address;
  if (const grpc::Status status = Look(client, view); !status.ok()) {
    Complain(client.Explain(status));
    return kExitService;
  }
  if (options.once || isatty(STDOUT_FILENO) == 0) {
    return Print(TopText(view, std::time(nullptr), {}));
  }
  RawTerminal raw;
  const bool has_keys = isatty(STDIN_FILENO) != 0;
  if (has_keys) {
    if (const absl::Status status = raw.Enter(RawTerminal::Keys::kSignals); !status.ok()) {
      return Fail(status);
    }
  }
  screen.Enter();
  const int interval_ms = static_cast<int>(options.interval_seconds * kMillisPerSecond);
  for (;;) {
    if (!screen.Draw(TopText(view, std::time(nullptr), ReadTerminalSize(STDOUT_FILENO)))) {
      return kExitService;  // the terminal is gone
    }
    if (!Wait(sizes->get(), has_keys, interval_ms)) {
      return kExitOk;
    }
    (void)Look(client, view);  // what failed is in the picture
  }
}

}  // namespace caisson::cli
