// Run by caissond as root, single-threaded, so that a plain fork is safe. Everything the child needs is
// prepared first.
#include "orchestrator/dispatcher_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "common/drop_privileges.h"
#include "common/status.h"

namespace caisson::orchestrator {
namespace {

constexpr int kBoundaryFd = 3;
constexpr int kImagesFd = 4;

struct ChildPlan {
  const DispatcherCommand& command;
  std::vector<char*> argv;
  int boundary;
  int log;
  int images;
  pid_t parent;
};

[[noreturn]] void RunChild(ChildPlan& plan) {
  sigset_t none{};
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);  // NOLINT(concurrency-mt-unsafe): one thread
  const int null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  // A session of its own: Ctrl-C on caissond's terminal is caissond's business, which needs its dispatcher to
  // drain.
  const bool ready = setsid() >= 0 && null_device >= 0 && dup2(null_device, 0) == 0 &&
                     dup2(null_device, 1) == 1 && dup2(plan.log, STDERR_FILENO) == STDERR_FILENO &&
                     dup2(plan.boundary, kBoundaryFd) == kBoundaryFd && fcntl(kBoundaryFd, F_SETFD, 0) == 0 &&
                     dup2(plan.images, kImagesFd) == kImagesFd && fcntl(kImagesFd, F_SETFD, 0) == 0 &&
                     close_range(kImagesFd + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
                     DropPrivileges(plan.command.uid, plan.command.gid, {}) &&
                     // After the ids, whose change forgets it; then look whether the parent is already gone.
                     prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == plan.parent;
  if (ready) {
    char* const environment[] = {nullptr};
    execve(plan.command.program.c_str(), plan.argv.data(), environment);
  }
  constexpr char kMessage[] =
      "caissond: the dispatcher could not be started with all its privileges dropped\n";
  const ssize_t told = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(told < 0 ? 126 : 127);
}

}  // namespace

absl::StatusOr<StartedDispatcher> StartDispatcher(const DispatcherCommand& command) {
  if (command.uid == 0 || command.gid == 0) {
    return absl::FailedPreconditionError("start the dispatcher: its user must not be root");
  }
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return ErrnoStatus(errno, "socketpair");
  }
  StartedDispatcher started;
  started.socket = UniqueFd(ends[0]);
  const UniqueFd theirs(ends[1]);
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "pipe for the log");
  }
  started.log = UniqueFd(ends[0]);
  const UniqueFd log(ends[1]);
  // Only our end: the dispatcher waits when we do not read.
  if (fcntl(started.log.get(), F_SETFL, O_NONBLOCK) != 0) {
    return ErrnoStatus(errno, "fcntl the log's pipe");
  }
  // Above both places, so that neither dup2 of the child closes what the other one needs.
  const UniqueFd boundary(fcntl(theirs.get(), F_DUPFD_CLOEXEC, kImagesFd + 1));
  const UniqueFd images(fcntl(command.images.get(), F_DUPFD_CLOEXEC, kImagesFd + 1));
  if (!boundary.valid() || !images.valid()) {
    return ErrnoStatus(errno, "duplicate the dispatcher's descriptors");
  }
  ChildPlan plan{command, {}, boundary.get(), log.get(), images.get(), getpid()};
  // SAFETY: execve does not write to its arguments.
  plan.argv.push_back(const_cast<char*>(command.program.c_str()));
  for (const std::string& argument : command.arguments) {
    plan.argv.push_back(const_cast<char*>(argument.c_str()));
  }
  plan.argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) {
    return ErrnoStatus(errno, "fork the dispatcher");
  }
  if (pid == 0) {
    RunChild(plan);
  }
  started.pid = pid;
  ASSIGN_OR_RETURN(started.process, PidFd::Open(pid));
  return started;
}

}  // namespace caisson::orchestrator
