// Shared by the tests that need root: children, waiting, and the rule when a skip is a failure.
#ifndef CAISSON_TESTS_UNIT_ORCHESTRATOR_PRIVILEGED_SUPPORT_H_
#define CAISSON_TESTS_UNIT_ORCHESTRATOR_PRIVILEGED_SUPPORT_H_

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "common/clock.h"

// Without root: a skip, or a failure where CI demands the privileged tests.
#define CAISSON_NEEDS_ROOT()                                            \
  do {                                                                  \
    if (geteuid() != 0) {                                               \
      const char* required = std::getenv("CAISSON_REQUIRE_PRIVILEGED"); \
      if (required != nullptr && std::string(required) == "1") {        \
        FAIL() << "needs root, and CAISSON_REQUIRE_PRIVILEGED=1";       \
      }                                                                 \
      GTEST_SKIP() << "needs root";                                     \
    }                                                                   \
  } while (false)

namespace caisson::orchestrator {

inline constexpr int64_t kPatienceNanos = 20'000 * kNanosPerMilli;

// Forks; the child joins the groups whose cgroup.procs `procs` are, then runs `body` and exits with what it
// returns.
inline pid_t ForkInto(const std::vector<int>& procs, const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    for (const int fd : procs) {
      if (write(fd, "0", 1) != 1) {
        _exit(99);
      }
    }
    _exit(body());
  }
  return pid;
}

inline int WaitFor(pid_t pid) {
  int status = 0;
  return waitpid(pid, &status, 0) == pid ? status : -1;
}

// Polls a condition of the kernel's that has no event; false when patience ends.
inline bool Eventually(const std::function<bool()>& condition) {
  for (const int64_t end = MonotonicNanos() + kPatienceNanos; MonotonicNanos() < end;) {
    if (condition()) {
      return true;
    }
    const timespec pause{0, 500'000};
    nanosleep(&pause, nullptr);
  }
  return false;
}

inline bool BecomesReadable(int fd) {
  pollfd waited{fd, POLLIN, 0};
  return poll(&waited, 1, static_cast<int>(kPatienceNanos / kNanosPerMilli)) == 1;
}

// One end of a pipe on which children report; EOF when all copies of the write end are closed.
struct Pipe {
  Pipe() {
    if (pipe(ends) != 0) {
      std::abort();
    }
  }
  ~Pipe() {
    CloseWrite();
    close(ends[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void CloseWrite() {
    if (ends[1] >= 0) {
      close(ends[1]);
      ends[1] = -1;
    }
  }
  void Say() const { static_cast<void>(!write(ends[1], "x", 1)); }
  // Waits for one byte; false at EOF.
  bool Hear() const {
    char byte = 0;
    return read(ends[0], &byte, 1) == 1;
  }
  int ends[2] = {-1, -1};
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_TESTS_UNIT_ORCHESTRATOR_PRIVILEGED_SUPPORT_H_
