// Run by caissond as root. Untrusted input: every byte and every descriptor of the dispatcher. The codec
// checks the shape, the state table the moment, this file the meaning: names against profiles, numbers
// against ceilings, the bundle's seals and size. Nothing of a bundle is read.
#include "orchestrator/dispatcher_link.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <optional>

#include "common/clock.h"
#include "common/memfd.h"
#include "common/status.h"
#include "ipc/run_streams.h"
#include "orchestrator/start_check.h"

namespace caisson::orchestrator {
namespace {

// Answers a dispatcher that does not read. Beyond it, it is not our dispatcher.
constexpr size_t kMaxOutgoing = 8192;

// The same for the descriptors that wait with them: an honest dispatcher that is slow leaves at most those of
// the sandboxes it asked for; one that cancels without reading would fill our table.
size_t MostOutgoingFds(const Capacity& capacity) {
  return ipc::kPreparedFds * static_cast<size_t>(MostSandboxes(capacity.max_sandboxes));
}

// Bundles that are being closed: one of each sandbox, and of each that an honest dispatcher was refused.
size_t MostUnclosed(const Capacity& capacity) {
  return 2 * static_cast<size_t>(MostSandboxes(capacity.max_sandboxes));
}

}  // namespace

DispatcherLink::DispatcherLink(EventLoop& loop, BuilderProcess& builder, SandboxPool& pool,
                               DescriptorDisposal& disposal, const ProfileStore& profiles, Capacity capacity,
                               uint32_t accepted_degradations, Callbacks callbacks)
    : loop_(loop),
      builder_(builder),
      pool_(pool),
      disposal_(disposal),
      profiles_(profiles),
      capacity_(capacity),
      accepted_degradations_(accepted_degradations),
      callbacks_(std::move(callbacks)) {}

DispatcherLink::~DispatcherLink() {
  if (socket_.valid()) {
    loop_.Unwatch(socket_.get());
  }
}

absl::Status DispatcherLink::Connect(UniqueFd socket, const ipc::Hello& hello) {
  CAISSON_CHECK(!socket_.valid());
  socket_ = std::move(socket);
  serving_ = false;
  next_reload_ns_ = 0;
  RETURN_IF_ERROR(loop_.Watch(socket_.get(), EPOLLIN, [this](uint32_t events) { OnSocket(events); }));
  Send(hello);
  return absl::OkStatus();
}

void DispatcherLink::Hand(Handed handed) {
  std::visit([&](const auto& message) { Send(message, std::move(handed.fds)); }, handed.message);
}

void DispatcherLink::Disconnect() {
  if (socket_.valid()) {
    loop_.Unwatch(socket_.get());
    disposal_.Take(std::move(socket_));  // Packets nobody has read may hold descriptors.
  }
  outgoing_.clear();
  outgoing_fds_ = 0;
  // End may take the session out of live_ at once.
  std::vector<Session*> sessions;
  for (const auto& [id, session] : live_) {
    sessions.push_back(session.get());
  }
  for (Session* session : sessions) {
    session->End(EndCause::kInitLost);
  }
}

void DispatcherLink::ShutDown() {
  std::vector<Session*> sessions;
  for (const auto& [id, session] : live_) {
    sessions.push_back(session.get());
  }
  for (Session* session : sessions) {
    session->End(EndCause::kShutdown);
  }
}

void DispatcherLink::SendDrain(uint64_t grace_ms) {
  auto drain = ipc::Make<ipc::Drain>();
  drain.grace_ms = grace_ms;
  Send(drain);
}

void DispatcherLink::Break(const std::string& reason) {
  if (!socket_.valid()) {
    return;
  }
  Disconnect();
  callbacks_.on_broken(reason);
}

void DispatcherLink::OnSocket(uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    Flush();
  }
  // A few at a time, so that a flood cannot keep the loop from its deadlines.
  for (int i = 0; i < 16 && socket_.valid(); ++i) {
    std::vector<UniqueFd> rejected;
    absl::StatusOr<Packet> packet = ReceivePacket(socket_.get(), &rejected);
    disposal_.Take(std::move(rejected));
    if (absl::IsUnavailable(packet.status())) {
      return;
    }
    if (!packet.ok()) {
      return Break(Message(packet.status()));
    }
    const absl::Status handled = Handle(*packet);
    // Whatever became of the message: nothing that the dispatcher made is closed by us; init may be gone.
    disposal_.Take(std::move(packet->fds));
    if (!handled.ok()) {
      return Break(Message(handled));
    }
    if (disposal_.waiting() > MostUnclosed(capacity_)) {
      return Break("it sends bundles for more sandboxes than there can be");
    }
  }
}

// An error is a violation.
absl::Status DispatcherLink::Handle(Packet& packet) {
  if (!std::all_of(packet.fds.begin(), packet.fds.end(),
                   [](const UniqueFd& fd) { return IsMemfd(fd.get()); })) {
    return absl::InvalidArgumentError("a descriptor is no memfd");
  }
  const absl::StatusOr<ipc::Request> request = ipc::DecodeRequest(packet.bytes, packet.fds.size());
  RETURN_IF_ERROR(request.status());
  if (std::holds_alternative<ipc::Serving>(*request)) {
    return HandleServing();
  }
  if (std::holds_alternative<ipc::Reload>(*request)) {
    return HandleReload();
  }
  const auto [type, id] = std::visit(
      [](const auto& message) -> std::pair<ipc::MessageType, ipc::SandboxId> {
        if constexpr (requires { message.sandbox; }) {
          return {message.header.type, message.sandbox};
        } else {
          return {message.header.type, 0};
        }
      },
      *request);
  switch (ipc::Check(type, StateOf(id))) {
    case ipc::Permission::kIgnored:
      return absl::OkStatus();
    case ipc::Permission::kViolation:
      return absl::InvalidArgumentError(std::string(ipc::MessageName(type)) +
                                        " is not permitted in the sandbox's state");
    case ipc::Permission::kPermitted:
      break;
  }
  if (const auto* prepare = std::get_if<ipc::Prepare>(&*request)) {
    HandlePrepare(*prepare);
  } else if (const auto* start = std::get_if<ipc::Start>(&*request)) {
    HandleStart(*start, packet.fds.front());
  } else if (const auto* cancel = std::get_if<ipc::Cancel>(&*request)) {
    HandleCancel(*cancel);
  } else if (const auto* signal = std::get_if<ipc::Signal>(&*request)) {
    live_.at(signal->sandbox)->Signal(signal->signal_number);
  }
  return absl::OkStatus();
}

ipc::SandboxState DispatcherLink::StateOf(ipc::SandboxId id) const {
  const auto found = live_.find(id);
  if (found == live_.end()) {
    return ipc::SandboxState::kNone;
  }
  const ipc::SandboxState state = found->second->state();
  return state == ipc::SandboxState::kPreparing && early_starts_.contains(id) ? ipc::SandboxState::kStarting
                                                                              : state;
}

uint64_t DispatcherLink::PromisedMemory() const {
  uint64_t sum = 0;
  for (const auto& [id, session] : live_) {
    sum += session->promised_memory_bytes();
  }
  for (const auto& [id, early] : early_starts_) {
    sum += early.start.limits.memory_bytes;
  }
  return sum;
}

void DispatcherLink::RefusePrepare(ipc::SandboxId id, ipc::Refusal refusal, ipc::LimitName limit,
                                   const std::string& message) {
  auto failed = ipc::Make<ipc::PrepareFailed>();
  failed.sandbox = id;
  failed.refusal = refusal;
  failed.limit = limit;
  static_cast<void>(ipc::SetText(failed.message, message));
  Send(failed);
}

void DispatcherLink::HandlePrepare(const ipc::Prepare& prepare) {
  const std::string profile(ipc::Text(prepare.profile));
  const StepPlan* plan = profiles_.Find(profile, prepare.step, prepare.tty != 0);
  if (draining_) {
    return RefusePrepare(prepare.sandbox, ipc::Refusal::kDraining, ipc::LimitName::kNone,
                         "caissond is stopping");
  }
  if (plan == nullptr) {
    const bool known = profiles_.HasProfile(profile);
    return RefusePrepare(prepare.sandbox, known ? ipc::Refusal::kUnknownStep : ipc::Refusal::kUnknownProfile,
                         ipc::LimitName::kNone, known ? "the profile has no such step" : "no such profile");
  }
  if (const auto limit = FindSizeOutOfRange(prepare, plan->limits)) {
    return RefusePrepare(prepare.sandbox, ipc::Refusal::kLimitOutOfRange, *limit, "a size is out of range");
  }
  // Those being removed have dead processes but still hold ids and cgroups, and bundles that are being closed
  // hold descriptors: they may lag behind, but not without bound.
  if (live_.size() >= capacity_.max_sandboxes ||
      sandboxes() + disposal_.waiting() >= MostSandboxes(capacity_.max_sandboxes)) {
    return RefusePrepare(prepare.sandbox, ipc::Refusal::kCapacity, ipc::LimitName::kNone,
                         "every place is taken");
  }
  if (PrepareFromPool(prepare, *plan)) {
    return;
  }
  auto session = std::make_unique<Session>(loop_, builder_, *this, prepare.sandbox, *plan, prepare.step,
                                           accepted_degradations_);
  Session& built = *session;
  live_.emplace(prepare.sandbox, std::move(session));
  built.Build(prepare.disk_bytes, prepare.inode_count);
}

// Only those of the profile's default sizes are built ahead, and without a terminal.
bool DispatcherLink::PrepareFromPool(const ipc::Prepare& prepare, const StepPlan& plan) {
  const int64_t received_ns = MonotonicNanos();
  const policy::Limits& sizes = plan.limits.defaults;
  if (prepare.tty != 0 || prepare.disk_bytes != sizes.Get(policy::LimitId::kDiskBytes) ||
      prepare.inode_count != sizes.Get(policy::LimitId::kInodeCount)) {
    return false;
  }
  std::optional<ReadySandbox> ready = pool_.Take(plan, prepare.step, prepare.leaves_last != 0);
  if (!ready.has_value()) {
    return false;
  }
  ready->session->Adopt(prepare.sandbox, *this);
  live_.emplace(prepare.sandbox, std::move(ready->session));
  ready->prepared.sandbox = prepare.sandbox;
  ready->prepared.setup_ns = static_cast<uint64_t>(MonotonicNanos() - received_ns);
  ready->prepared.from_pool = 1;
  Send(ready->prepared, std::move(ready->fds));
  return true;
}

void DispatcherLink::RefuseStart(ipc::SandboxId id, ipc::Refusal refusal, ipc::LimitName limit,
                                 const std::string& message) {
  auto refused = ipc::Make<ipc::StartRefused>();
  refused.sandbox = id;
  refused.refusal = refusal;
  refused.limit = limit;
  static_cast<void>(ipc::SetText(refused.message, message));
  Session& session = *live_.at(id);
  Leave(session);
  Send(refused);
  session.Discard();
}

void DispatcherLink::HandleStart(const ipc::Start& start, UniqueFd& bundle) {
  Session& session = *live_.at(start.sandbox);
  if (const auto limit = FindLimitOutOfRange(start.limits, session.plan().limits)) {
    return RefuseStart(start.sandbox, ipc::Refusal::kLimitOutOfRange, *limit, "a limit is out of range");
  }
  if (start.limits.memory_bytes > capacity_.memory_budget_bytes - PromisedMemory()) {
    return RefuseStart(start.sandbox, ipc::Refusal::kCapacity, ipc::LimitName::kMemory,
                       "the memory is promised to other runs");
  }
  if (const absl::Status status = CheckSealedMemfd(bundle.get(), wire::kMaxBundleBytes); !status.ok()) {
    return RefuseStart(start.sandbox, ipc::Refusal::kBadBundle, ipc::LimitName::kNone, Message(status));
  }
  if (session.state() == ipc::SandboxState::kPreparing) {
    early_starts_.emplace(start.sandbox, EarlyStart{start, std::move(bundle)});
    return;
  }
  session.Start(start, bundle);
}

void DispatcherLink::ForgetEarlyStart(ipc::SandboxId id) {
  if (auto node = early_starts_.extract(id); !node.empty()) {
    disposal_.Take(std::move(node.mapped().bundle));
  }
}

void DispatcherLink::HandleCancel(const ipc::Cancel& cancel) {
  live_.at(cancel.sandbox)->End(EndCause::kCanceled, &cancel);
}

void DispatcherLink::OnPrepared(Session& session, const ipc::Prepared& message, std::vector<UniqueFd> fds) {
  Send(message, std::move(fds));
  // Sending may have ended everything.
  auto early = early_starts_.extract(message.sandbox);
  if (early.empty() || session.state() != ipc::SandboxState::kPrepared) {
    return;
  }
  session.Start(early.mapped().start, early.mapped().bundle);
  disposal_.Take(std::move(early.mapped().bundle));
}

void DispatcherLink::OnPrepareFailed(Session& session, const ipc::PrepareFailed& message) {
  Leave(session);
  Send(message);
}

void DispatcherLink::OnStarted(Session& /*session*/, const ipc::Started& message) {
  Send(message);
  pool_.Nudge();
}

void DispatcherLink::OnStartRefused(Session& session, const ipc::StartRefused& message) {
  Leave(session);
  Send(message);
}

void DispatcherLink::OnFinished(Session& session, const ipc::Finished& message) {
  Leave(session);
  Send(message);
}

void DispatcherLink::Leave(Session& session) {
  ForgetEarlyStart(session.id());
  auto node = live_.extract(session.id());
  if (!node.empty()) {
    leaving_.emplace(&session, std::move(node.mapped()));
  }
}

void DispatcherLink::OnGone(Session& session) {
  // The session is on the stack below us; it goes when the loop comes round.
  loop_.At(MonotonicNanos(), [this, gone = &session] {
    leaving_.erase(gone);
    if (sandboxes() == 0) {
      callbacks_.on_idle();
    }
  });
}

void DispatcherLink::Queue(std::span<const std::byte> bytes, std::vector<UniqueFd> fds) {
  if (!socket_.valid()) {
    return;  // There is nobody to tell; descriptors close here.
  }
  if (outgoing_.size() == kMaxOutgoing || outgoing_fds_ + fds.size() > MostOutgoingFds(capacity_)) {
    return Break("the dispatcher does not read its answers");
  }
  outgoing_fds_ += fds.size();
  outgoing_.push_back({{bytes.begin(), bytes.end()}, std::move(fds)});
  Flush();
}

void DispatcherLink::Flush() {
  while (!outgoing_.empty() && socket_.valid()) {
    const Outgoing& next = outgoing_.front();
    std::vector<int> numbers;
    for (const UniqueFd& fd : next.fds) {
      numbers.push_back(fd.get());
    }
    const absl::Status status = SendPacket(socket_.get(), next.bytes, numbers);
    if (absl::IsUnavailable(status)) {
      static_cast<void>(loop_.Rewatch(socket_.get(), EPOLLIN | EPOLLOUT));
      return;
    }
    if (!status.ok()) {
      outgoing_.clear();
      outgoing_fds_ = 0;
      // Of one that is gone OnSocket will see the end of file. One that is there, and did not get a message,
      // would wait for it for ever. Not at once: that would destroy callers' state under them.
      if (!absl::IsAborted(status)) {
        loop_.At(MonotonicNanos(), [this, reason = Message(status)] { Break(reason); });
      }
      return;
    }
    outgoing_fds_ -= next.fds.size();
    outgoing_.pop_front();
  }
  if (socket_.valid()) {
    static_cast<void>(loop_.Rewatch(socket_.get(), EPOLLIN));
  }
}

}  // namespace caisson::orchestrator
