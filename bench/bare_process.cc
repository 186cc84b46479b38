#include "bench/bare_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/clock.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace caisson::bench {
namespace {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "make pipe");
  }
  return Pipe{.read_end = UniqueFd(ends[0]), .write_end = UniqueFd(ends[1])};
}

// posix_spawn's list of what to do in the child.
class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));  // posix_spawn's type; it does not write
  }
  pointers.push_back(nullptr);
  return pointers;
}

using Descriptors = std::array<int, 3>;

absl::Status Spawn(const BareCommand& command, const Descriptors& descriptors, pid_t& pid) {
  FileActions actions;
  int error = posix_spawn_file_actions_addchdir_np(actions.get(), command.directory.c_str());
  for (size_t i = 0; i < descriptors.size() && error == 0; ++i) {
    error = posix_spawn_file_actions_adddup2(actions.get(), descriptors[i], static_cast<int>(i));
  }
  if (error == 0) {
    error = posix_spawn(&pid, command.executable.c_str(), actions.get(), nullptr,
                        Pointers(command.argv).data(), Pointers(command.environment).data());
  }
  return error == 0 ? absl::OkStatus() : ErrnoStatus(error, "spawn " + command.executable);
}

// What posix_spawn would do, had it flags for namespaces: the child has its parent's memory, so everything
// that allocates is done before.
struct NamespacedChild {
  const char* directory;
  const char* executable;
  std::vector<char*> argv;
  std::vector<char*> environment;
  Descriptors descriptors;
};

int ExecInNamespaces(void* argument) {
  auto* child = static_cast<NamespacedChild*>(argument);
  for (size_t i = 0; i < child->descriptors.size(); ++i) {
    dup2(child->descriptors[i], static_cast<int>(i));
  }
  if (chdir(child->directory) == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(child->executable, child->argv.data(), child->environment.data());
  }
  _exit(127);
}

absl::Status SpawnInNamespaces(const BareCommand& command, const Descriptors& descriptors, pid_t& pid) {
  constexpr int kFlags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  constexpr size_t kStackBytes = 65536;
  NamespacedChild child{command.directory.c_str(), command.executable.c_str(), Pointers(command.argv),
                        Pointers(command.environment), descriptors};
  std::vector<char> stack(kStackBytes);
  // No handler of ours may run in the child.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid =
      clone(ExecInNamespaces, stack.data() + stack.size(), kFlags | CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
  const int error = pid < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error == 0 ? absl::OkStatus() : ErrnoStatus(error, "clone " + command.executable);
}

// Reads until both streams are at their end.
absl::Status Drain(UniqueFd output, UniqueFd errors, std::string& output_text) {
  std::array<char, 65536> buffer;
  std::array<pollfd, 2> streams = {pollfd{.fd = output.get(), .events = POLLIN, .revents = 0},
                                   pollfd{.fd = errors.get(), .events = POLLIN, .revents = 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    if (poll(streams.data(), streams.size(), -1) < 0) {
      if (errno == EINTR) {
        continue;
      }
      return ErrnoStatus(errno, "poll output");
    }
    for (size_t i = 0; i < streams.size(); ++i) {
      if (streams[i].fd < 0 || streams[i].revents == 0) {
        continue;
      }
      const ssize_t got = read(streams[i].fd, buffer.data(), buffer.size());
      if (got < 0 && errno != EINTR) {
        return ErrnoStatus(errno, "read output");
      }
      if (got == 0) {
        streams[i].fd = -1;
      } else if (got > 0 && i == 0) {
        output_text.append(buffer.data(), static_cast<size_t>(got));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Wait(pid_t pid, const std::string& name) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      return ErrnoStatus(errno, "wait for " + name);
    }
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return absl::InternalError("run " + name + ": ended with wait status " + std::to_string(status));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BareOutcome> RunBare(const BareCommand& command, Namespaces namespaces) {
  BareOutcome outcome;
  const int64_t begin_ns = MonotonicNanos();
  ASSIGN_OR_RETURN(Pipe input, MakePipe());
  ASSIGN_OR_RETURN(Pipe output, MakePipe());
  ASSIGN_OR_RETURN(Pipe errors, MakePipe());
  pid_t pid = -1;
  const Descriptors descriptors = {input.read_end.get(), output.write_end.get(), errors.write_end.get()};
  RETURN_IF_ERROR(namespaces == Namespaces::kOwn ? SpawnInNamespaces(command, descriptors, pid)
                                                 : Spawn(command, descriptors, pid));
  input = Pipe{};
  output.write_end.reset();
  errors.write_end.reset();
  const absl::Status drained =
      Drain(std::move(output.read_end), std::move(errors.read_end), outcome.stdout_text);
  const absl::Status ended = Wait(pid, command.executable);  // reaped even if reading failed
  outcome.total_ns = MonotonicNanos() - begin_ns;
  RETURN_IF_ERROR(drained);
  RETURN_IF_ERROR(ended);
  return outcome;
}

}  // namespace caisson::bench
