#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "cli/unfinished_file.h"
#include "common/status.h"

namespace caisson::cli {

absl::StatusOr<std::unique_ptr<InterruptWatcher>> InterruptWatcher::Create(
    std::initializer_list<int> numbers) {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal_number : numbers) {
    struct sigaction current {};
    if (sigaction(signal_number, nullptr, &current) == 0 && current.sa_handler != SIG_IGN) {
      sigaddset(&wanted, signal_number);
    }
  }
  if (const int error = pthread_sigmask(SIG_BLOCK, &wanted, nullptr); error != 0) {
    return ErrnoStatus(error, "block signals");
  }
  UniqueFd signals(signalfd(-1, &wanted, SFD_CLOEXEC));
  if (!signals.valid()) {
    return ErrnoStatus(errno, "make a signalfd");
  }
  UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.valid()) {
    return ErrnoStatus(errno, "make an eventfd");
  }
  return std::unique_ptr<InterruptWatcher>(new InterruptWatcher(std::move(signals), std::move(stop)));
}

InterruptWatcher::~InterruptWatcher() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    // An eventfd at 0 takes a 1 without blocking or failing.
    CAISSON_CHECK(write(stop_.get(), &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)));
    thread_.join();
  }
  if (first_.joinable()) {
    first_.join();
  }
}

void InterruptWatcher::Start(std::function<void()> on_first) {
  thread_ = std::thread([this, on_first = std::move(on_first)] { Watch(on_first); });
}

void InterruptWatcher::Watch(const std::function<void()>& on_first) {
  for (;;) {
    std::array<pollfd, 2> fds{{{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) {
      continue;
    }
    if (fds[1].revents != 0) {
      return;
    }
    signalfd_siginfo info{};
    if (read(signals_.get(), &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) {
      continue;
    }
    if (interrupted_.exchange(true)) {
      RawTerminal::RestoreTerminal();
      UnfinishedFile::RemoveBeforeExit();
      _exit(kExitCanceled);
    }
    first_ = std::thread(on_first);
  }
}

}  // namespace caisson::cli
