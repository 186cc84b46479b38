#include "cli/child_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cli/exit_code.h"
#include "common/pidfd.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::cli {
namespace {

constexpr size_t kMostOutputBytes = 64U << 20U;

bool EnterPrivateMounts() {
  return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

struct Child {
  const ChildProgram& program;
  std::vector<char*> argv;
  std::vector<char*> environment;
  int output;
  const HeldSignals& signals;
};

[[noreturn]] void RunChild(Child& child) {
  const ChildProgram& program = child.program;
  signal(SIGPIPE, SIG_DFL);  // which this program ignores, and its tools' pipelines need
  const bool ready = prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && dup2(child.output, STDOUT_FILENO) >= 0 &&
                     (!program.private_mounts || EnterPrivateMounts()) &&
                     (program.root.empty() || (chroot(program.root.c_str()) == 0 && chdir("/") == 0)) &&
                     sigprocmask(SIG_UNBLOCK, &child.signals.set(), nullptr) == 0;
  if (ready) {
    execve(child.argv.front(), child.argv.data(), child.environment.data());
  }
  const std::string line = "caisson: " + program.command.front() + ": " + std::strerror(errno) + "\n";
  static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
  _exit(kExitService);
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// What comes while a program runs.
struct Watched {
  int signals;
  int end;
  int output;  // -1: nobody reads it
};

// Until the program has ended and its output is read. True if it was asked to end. `output` keeps what fits.
bool WatchToItsEnd(const Watched& watched, pid_t child, std::string* output, bool& fits) {
  bool interrupted = false;
  std::array<pollfd, 3> fds{
      {{watched.signals, POLLIN, 0}, {watched.end, POLLIN, 0}, {watched.output, POLLIN, 0}}};
  while (fds[1].fd >= 0 || fds[2].fd >= 0) {
    if (poll(fds.data(), fds.size(), -1) < 0) {
      continue;  // EINTR
    }
    signalfd_siginfo info{};
    if ((fds[0].revents & POLLIN) != 0 && read(watched.signals, &info, sizeof info) == sizeof info) {
      interrupted = true;
      kill(child, static_cast<int>(info.ssi_signo));
    }
    std::array<char, 65536> buffer{};
    if (fds[2].revents != 0) {
      const ssize_t got = read(watched.output, buffer.data(), buffer.size());
      fds[2].fd = got > 0 || (got < 0 && errno == EINTR) ? watched.output : -1;
      const auto bytes = static_cast<size_t>(got > 0 ? got : 0);
      fits = fits && output->size() + bytes <= kMostOutputBytes;
      output->append(buffer.data(), fits ? bytes : 0);
    }
    fds[1].fd = (fds[1].revents & POLLIN) != 0 ? -1 : fds[1].fd;
  }
  return interrupted;
}

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&set_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&set_, number);
  }
  sigprocmask(SIG_BLOCK, &set_, &before_);  // NOLINT(concurrency-mt-unsafe): one thread
}

HeldSignals::~HeldSignals() {
  sigprocmask(SIG_SETMASK, &before_, nullptr);  // NOLINT(concurrency-mt-unsafe): one thread
}

absl::StatusOr<int> RunToItsEnd(const ChildProgram& program) {
  const std::string name = program.command.front().substr(program.command.front().rfind('/') + 1);
  std::vector<std::string> words = program.command;
  std::vector<std::string> variables = program.environment;
  variables.emplace_back("DEBIAN_FRONTEND=noninteractive");  // nobody answers questions here
  // root's PATH is the caller's under some configurations of sudo.
  variables.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  const HeldSignals held;
  const UniqueFd signals(signalfd(-1, &held.set(), SFD_CLOEXEC | SFD_NONBLOCK));
  std::array<int, 2> ends{-1, -1};
  if (!signals.valid() || pipe2(ends.data(), O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "start " + name);
  }
  const UniqueFd outer(ends[0]);
  UniqueFd inner(ends[1]);
  const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  int output = inner.get();
  if (program.output == nullptr) {
    output = program.output_to == ChildOutput::kNowhere         ? nowhere.get()
             : program.output_to == ChildOutput::kStandardError ? STDERR_FILENO
                                                                : STDOUT_FILENO;
  }
  Child child{program, Pointers(words), Pointers(variables), output, held};
  const pid_t pid = fork();
  if (pid < 0) {
    return ErrnoStatus(errno, "start " + name);
  }
  if (pid == 0) {
    RunChild(child);
  }
  inner = UniqueFd();
  ASSIGN_OR_RETURN(const PidFd process, PidFd::Open(pid));
  bool fits = true;
  const bool interrupted =
      WatchToItsEnd({signals.get(), process.get(), program.output == nullptr ? -1 : outer.get()}, pid,
                    program.output, fits);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (interrupted) {
    return absl::CancelledError(name + " was interrupted");
  }
  if (!WIFEXITED(status)) {
    return absl::UnavailableError(name + " did not end by itself: " + strsignal(WTERMSIG(status)));
  }
  if (!fits) {
    return absl::OutOfRangeError(name + " wrote more than anybody reads");
  }
  return WEXITSTATUS(status);
}

}  // namespace caisson::cli
