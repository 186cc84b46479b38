// Run by caissond as root, in the event loop's thread. Input: the answers of a process of the same rights.
#include "orchestrator/builder_process.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <span>
#include <utility>

#include "common/status.h"
#include "orchestrator/builder_loop.h"
#include "orchestrator/builder_messages.h"

namespace caisson::orchestrator {
namespace {

BuilderOrder MakeOrder(OrderKind kind, BuilderProcess::Token token, const std::string& run) {
  BuilderOrder order{};
  order.kind = kind;
  order.token = token;
  CAISSON_CHECK(run.size() < order.run.size());
  run.copy(order.run.data(), run.size());
  return order;
}

std::vector<std::byte> BytesOf(const BuilderOrder& order) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(&order, 1));
  return {bytes.begin(), bytes.end()};
}

absl::Status Gone() { return absl::AbortedError("the builder is gone"); }

}  // namespace

absl::StatusOr<std::unique_ptr<BuilderProcess>> BuilderProcess::Start(EventLoop& loop,
                                                                      sandbox::Spawner& spawner,
                                                                      CgroupBackend& cgroups, IdPool& ids,
                                                                      std::vector<const StepPlan*> plans,
                                                                      std::function<void()> on_dead) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "socketpair");
  }
  std::unique_ptr<BuilderProcess> builder(
      new BuilderProcess(loop, cgroups, ids, std::move(plans), std::move(on_dead)));
  builder->socket_ = UniqueFd(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    return ErrnoStatus(errno, "fork the builder");
  }
  if (pid == 0) {
    RunBuilder({std::move(theirs), spawner, cgroups, builder->plans_, parent});
  }
  builder->pid_ = pid;
  ASSIGN_OR_RETURN(builder->process_, PidFd::Open(pid));
  BuilderProcess* const raw = builder.get();
  RETURN_IF_ERROR(loop.Watch(raw->socket_.get(), EPOLLIN, [raw](uint32_t events) { raw->OnSocket(events); }));
  RETURN_IF_ERROR(loop.Watch(raw->process_.get(), EPOLLIN, [raw](uint32_t) { raw->OnProcessDead(); }));
  return builder;
}

BuilderProcess::BuilderProcess(EventLoop& loop, CgroupBackend& cgroups, IdPool& ids,
                               std::vector<const StepPlan*> plans, std::function<void()> on_dead)
    : loop_(loop), cgroups_(cgroups), ids_(ids), plans_(std::move(plans)), on_dead_(std::move(on_dead)) {}

BuilderProcess::~BuilderProcess() {
  if (socket_.valid()) {
    loop_.Unwatch(socket_.get());
    socket_.reset();  // It ends with this.
  }
  if (process_.valid()) {
    loop_.Unwatch(process_.get());
    static_cast<void>(process_.Reap());
  }
}

BuilderProcess::Token BuilderProcess::Build(const StepPlan& plan, uint64_t disk_bytes, uint64_t inode_count,
                                            OnBuilt on_built) {
  const auto found = std::find(plans_.begin(), plans_.end(), &plan);
  CAISSON_CHECK(found != plans_.end());
  Wanted wanted;
  wanted.plan = &plan;
  wanted.on_built = std::move(on_built);
  wanted.run = "run-" + std::to_string(next_);
  absl::StatusOr<sandbox::RunIds> ids = ids_.Take();
  if (!ids.ok()) {
    const Token token = next_++;
    wanted_.emplace(token, std::move(wanted));
    spdlog::error("{}", Message(ids.status()));
    FailLater(token);
    return token;
  }
  wanted.ids = *ids;
  BuilderOrder order = MakeOrder(OrderKind::kBuild, next_, wanted.run);
  order.plan = static_cast<uint32_t>(found - plans_.begin());
  order.disk_bytes = disk_bytes;
  order.inode_count = inode_count;
  order.init_host_id = wanted.ids.init_host_id;
  order.payload_host_id = wanted.ids.payload_host_id;
  return Order(std::move(wanted), BytesOf(order));
}

BuilderProcess::Token BuilderProcess::Remove(Sandbox& sandbox, OnRemoved on_removed) {
  Wanted wanted;
  wanted.removed = &sandbox;
  wanted.run = sandbox.run;
  wanted.on_removed = std::move(on_removed);
  const BuilderOrder order = MakeOrder(OrderKind::kRemove, next_, wanted.run);
  return Order(std::move(wanted), BytesOf(order));
}

void BuilderProcess::Forget(Token token) {
  if (const auto found = wanted_.find(token); found != wanted_.end()) {
    found->second.removed = nullptr;
    found->second.on_built = nullptr;
    found->second.on_removed = nullptr;
  }
}

BuilderProcess::Token BuilderProcess::Order(Wanted wanted, std::vector<std::byte> bytes) {
  const Token token = next_++;
  wanted_.emplace(token, std::move(wanted));
  if (!socket_.valid()) {
    FailLater(token);
    return token;
  }
  outgoing_.push_back(std::move(bytes));
  Flush();
  return token;
}

void BuilderProcess::Flush() {
  while (!outgoing_.empty()) {
    const absl::Status sent = SendPacket(socket_.get(), outgoing_.front());
    if (absl::IsUnavailable(sent)) {
      static_cast<void>(loop_.Rewatch(socket_.get(), EPOLLIN | EPOLLOUT));
      return;
    }
    // Whatever else it is, the builder is gone, and its process tells.
    outgoing_.pop_front();
  }
  static_cast<void>(loop_.Rewatch(socket_.get(), EPOLLIN));
}

void BuilderProcess::OnSocket(uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    Flush();
  }
  absl::StatusOr<Packet> packet = ReceivePacket(socket_.get(), nullptr, CutFds::kTell);
  if (packet.ok()) {
    Accept(std::move(*packet));
  } else if (!absl::IsUnavailable(packet.status())) {
    loop_.Unwatch(socket_.get());
  }
}

void BuilderProcess::Accept(Packet packet) {
  BuilderAnswer answer{};
  CAISSON_CHECK(packet.bytes.size() == sizeof answer);
  std::memcpy(&answer, packet.bytes.data(), sizeof answer);
  auto node = wanted_.extract(answer.token);
  CAISSON_CHECK(!node.empty());
  Wanted& wanted = node.mapped();
  std::string message(answer.message.data(), strnlen(answer.message.data(), answer.message.size()));
  if (wanted.plan == nullptr) {
    if (answer.result == OrderResult::kDone && wanted.removed != nullptr) {
      Free(*wanted.removed);
    }
    if (wanted.on_removed != nullptr) {
      wanted.on_removed(answer.result == OrderResult::kDone   ? absl::OkStatus()
                        : answer.result == OrderResult::kBusy ? absl::UnavailableError(message)
                                                              : absl::InternalError(message));
    }
    return;
  }
  if (packet.fds_cut) {
    // There is an init, and no descriptor left by which it could be had. It is our child and not reaped yet,
    // so its number is its own.
    CAISSON_CHECK(answer.init_pid > 1);
    static_cast<void>(kill(answer.init_pid, SIGKILL));
    static_cast<void>(waitpid(answer.init_pid, nullptr, 0));
    answer.result = OrderResult::kFailed;
    answer.stage = static_cast<uint32_t>(sandbox::SetupStage::kClone);
    message = "caissond has no descriptor left";
    packet.fds.clear();
  }
  Sandbox sandbox;
  sandbox.run = wanted.run;
  sandbox.ids = wanted.ids;
  CgroupHandles handles;
  BuildFailure failure;
  if (answer.result == OrderResult::kDone) {
    CAISSON_CHECK(packet.fds.size() >= 3);
    sandbox.init = PidFd(std::move(packet.fds[0]));
    sandbox.root_template = answer.root_template;
    sandbox.control = std::move(packet.fds[1]);
    handles.cpu_stat = std::move(packet.fds[2]);
    if (packet.fds.size() > 3) {
      handles.oom_event = std::move(packet.fds[3]);
    }
    handles.limits = DefaultLimits(*wanted.plan);
  } else {
    failure = {static_cast<sandbox::SetupStage>(answer.stage), absl::InternalError(message)};
    if (!packet.fds.empty()) {
      static_cast<void>(PidFd(std::move(packet.fds[0])).Reap());  // An init that could not be executed.
    }
  }
  sandbox.cgroup = cgroups_.AdoptRun(wanted.run, std::move(handles));
  if (wanted.on_built != nullptr) {
    wanted.on_built(std::move(sandbox), answer.result == OrderResult::kDone ? nullptr : &failure);
  } else if (sandbox.init.valid()) {
    static_cast<void>(sandbox.init.Kill(SIGKILL));
    static_cast<void>(sandbox.init.Reap());
  }
}

void BuilderProcess::Free(Sandbox& removed) {
  if (removed.ids.init_host_id != 0) {
    ids_.Return(removed.ids);
  }
  removed.ids = {};
  removed.cgroup.reset();
}

void BuilderProcess::FailLater(Token token) {
  loop_.At(0, [this, token] { Fail(token); });
}

void BuilderProcess::Fail(Token token) {
  auto node = wanted_.extract(token);
  if (node.empty()) {
    return;
  }
  Wanted& wanted = node.mapped();
  if (wanted.on_removed != nullptr) {
    // What it cannot remove any more, caissond can.
    absl::Status removed = wanted.removed->cgroup->TryRemove();
    if (removed.ok()) {
      Free(*wanted.removed);
    }
    return wanted.on_removed(std::move(removed));
  }
  if (wanted.on_built != nullptr) {
    Sandbox sandbox;
    sandbox.run = wanted.run;
    sandbox.ids = wanted.ids;
    sandbox.cgroup = cgroups_.AdoptRun(wanted.run, {});
    const BuildFailure failure{
        sandbox::SetupStage::kClone,
        socket_.valid() ? absl::ResourceExhaustedError("there is no host id left") : Gone()};
    wanted.on_built(std::move(sandbox), &failure);
  }
}

void BuilderProcess::OnProcessDead() {
  if (!process_.TryReap().ok()) {
    return;
  }
  loop_.Unwatch(process_.get());
  process_.reset();
  loop_.Unwatch(socket_.get());
  socket_.reset();
  outgoing_.clear();
  std::vector<Token> tokens;
  for (const auto& [token, wanted] : wanted_) {
    tokens.push_back(token);
  }
  for (const Token token : tokens) {
    Fail(token);
  }
  on_dead_();
}

}  // namespace caisson::orchestrator
