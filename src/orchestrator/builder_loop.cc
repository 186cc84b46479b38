// Runs as root, one thread, in a fork of caissond. Input: caissond's orders. A message that is not one of
// ours means that caissond is not ours any more, and ends this process.
#include "orchestrator/builder_loop.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <span>
#include <string>

#include "common/packet_socket.h"
#include "common/status.h"
#include "orchestrator/builder_messages.h"
#include "orchestrator/sandbox_builder.h"

namespace caisson::orchestrator {
namespace {

[[noreturn]] void Leave(const char* why) {
  if (why != nullptr) {
    std::string line = "caissond's builder: ";
    line += why;
    line += '\n';
    static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
  }
  _exit(why == nullptr ? 0 : 1);
}

// The locks, the event loop, the log of the dispatcher … are caissond's alone.
void CloseAllBut(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  int next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (fd > next) {
      close_range(static_cast<unsigned>(next), static_cast<unsigned>(fd) - 1, 0);
    }
    next = std::max(next, fd + 1);
  }
  close_range(static_cast<unsigned>(next), ~0U, 0);
}

// Signals are caissond's to hear: a Ctrl-C or a stop must find the builder at work until caissond is done.
bool SettleIn(const BuilderInheritance& inheritance) {
  sigset_t mask{};
  sigemptyset(&mask);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    sigaddset(&mask, signal);
  }
  sigprocmask(SIG_SETMASK, &mask, nullptr);  // NOLINT(concurrency-mt-unsafe): one thread
  if (setsid() < 0 || prctl(PR_SET_NAME, "caissond-build", 0, 0, 0) != 0 ||
      prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != inheritance.parent) {
    return false;
  }
  std::vector<int> kept = inheritance.cgroups.descriptors();
  kept.push_back(inheritance.socket.get());
  for (const int fd : inheritance.spawner.descriptors()) {
    kept.push_back(fd);
  }
  for (const StepPlan* plan : inheritance.plans) {
    kept.push_back(plan->plan.get());
  }
  CloseAllBut(std::move(kept));
  return true;
}

void SetMessage(const absl::Status& status, BuilderAnswer& answer) {
  const std::string text = Message(status);
  text.copy(answer.message.data(), answer.message.size() - 1);
}

class BuilderLoop {
 public:
  explicit BuilderLoop(BuilderInheritance inheritance)
      : inheritance_(std::move(inheritance)), builder_(inheritance_.spawner, inheritance_.cgroups) {}

  [[noreturn]] void Run() {
    for (;;) {
      BuilderOrder order{};
      const ssize_t got = recv(inheritance_.socket.get(), &order, sizeof order, 0);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        Leave(nullptr);  // caissond is done.
      }
      if (got != sizeof order || order.run.back() != '\0') {
        Leave("an order is malformed");
      }
      order.kind == OrderKind::kBuild ? Build(order) : Remove(order);
    }
  }

 private:
  void Build(const BuilderOrder& order) {
    if (order.plan >= inheritance_.plans.size()) {
      Leave("an order names no plan");
    }
    Sandbox sandbox;
    BuildFailure failure;
    BuilderAnswer answer{};
    answer.token = order.token;
    CgroupHandles handles;
    std::vector<int> fds;
    if (builder_.Build(*inheritance_.plans.at(order.plan),
                       {order.run.data(),
                        {order.init_host_id, order.payload_host_id},
                        order.disk_bytes,
                        order.inode_count},
                       sandbox, failure)) {
      handles = sandbox.cgroup->Release();
      fds = {sandbox.init.get(), sandbox.control.get(), handles.cpu_stat.get()};
      if (handles.oom_event.valid()) {
        fds.push_back(handles.oom_event.get());
      }
    } else {
      answer.result = OrderResult::kFailed;
      answer.stage = static_cast<uint32_t>(failure.stage);
      SetMessage(failure.status, answer);
      if (sandbox.init.valid()) {
        fds = {sandbox.init.get()};  // It has ended; only its parent can reap it.
      }
    }
    answer.init_pid = sandbox.init_pid;
    answer.root_template = sandbox.root_template;
    Answer(answer, fds);
  }

  void Remove(const BuilderOrder& order) {
    BuilderAnswer answer{};
    answer.token = order.token;
    const absl::Status status = inheritance_.cgroups.AdoptRun(order.run.data(), {})->TryRemove();
    if (!status.ok()) {
      answer.result = absl::IsUnavailable(status) ? OrderResult::kBusy : OrderResult::kFailed;
      SetMessage(status, answer);
    }
    Answer(answer, {});
  }

  // Waits where caissond is slow to read: it never waits for us.
  void Answer(const BuilderAnswer& answer, std::span<const int> fds) {
    for (;;) {
      const absl::Status sent =
          SendPacket(inheritance_.socket.get(), std::as_bytes(std::span(&answer, 1)), fds);
      if (sent.ok()) {
        return;
      }
      if (!absl::IsUnavailable(sent)) {
        Leave(nullptr);
      }
      pollfd room{inheritance_.socket.get(), POLLOUT, 0};
      poll(&room, 1, -1);
    }
  }

  BuilderInheritance inheritance_;
  SandboxBuilder builder_;
};

}  // namespace

void RunBuilder(BuilderInheritance inheritance) {
  if (!SettleIn(inheritance)) {
    Leave("cannot settle in");
  }
  BuilderLoop(std::move(inheritance)).Run();
}

}  // namespace caisson::orchestrator
