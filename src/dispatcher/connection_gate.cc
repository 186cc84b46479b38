#include "dispatcher/connection_gate.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <tuple>

#include "common/clock.h"
#include "common/status.h"
#include "dispatcher/unix_listener.h"

namespace caisson::dispatcher {
namespace {

// What one connection that waited may spend before it is the next one's turn.
constexpr uint32_t kCostATurn = 32;
constexpr int64_t kTurnEveryMs = 2;
constexpr int kAcceptsAtOnce = 64;
constexpr int64_t kAcceptPauseMs = 100;
constexpr int64_t kTellEveryMs = 1'000;

// Who is at the other end: the kernel's word, as it was at connect(2).
bool IsAllowedPeer(int client, const std::vector<uid_t>& allowed) {
  if (allowed.empty()) {
    return true;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer &&
         std::find(allowed.begin(), allowed.end(), peer.uid) != allowed.end();
}

}  // namespace

absl::StatusOr<ConnectionGate::Listener> ConnectionGate::ListenOn(const std::string& path,
                                                                  const Caller& caller) {
  ASSIGN_OR_RETURN(UniqueFd socket, dispatcher::ListenOn(path));
  return Listener{std::move(socket), caller, {}, "unix:" + path, path};
}

absl::StatusOr<std::unique_ptr<ConnectionGate>> ConnectionGate::Create(std::vector<Listener> listeners,
                                                                       ConnectionBook& book,
                                                                       const Bounds& bounds) {
  ASSIGN_OR_RETURN(std::unique_ptr<IoThread> io, IoThread::Create());
  return std::unique_ptr<ConnectionGate>(
      new ConnectionGate(std::move(listeners), book, bounds, std::move(io)));
}

ConnectionGate::ConnectionGate(std::vector<Listener> listeners, ConnectionBook& book, const Bounds& bounds,
                               std::unique_ptr<IoThread> io)
    : bounds_(bounds),
      book_(book),
      io_(std::move(io)),
      listeners_(std::move(listeners)),
      rate_(bounds.calls_per_second, bounds.calls_at_once, MonotonicNanos()) {}

ConnectionGate::~ConnectionGate() {
  Finish(0);
  CloseListeners();
  while (!connections_.empty()) {
    connections_.begin()->second->End(nullptr);
  }
}

void ConnectionGate::Start(Handover handover) {
  handover_ = std::move(handover);
  for (Listener& listener : listeners_) {
    CAISSON_CHECK(WatchListener(listener));
  }
  thread_ = std::thread([this] { CAISSON_CHECK(io_->loop().Run().ok()); });
}

void ConnectionGate::StopAccepting() {
  std::promise<void> done;
  io_->Post([this, &done] {
    CloseListeners();
    done.set_value();
  });
  done.get_future().wait();
}

bool ConnectionGate::WatchListener(Listener& listener) {
  return io_->loop()
      .Watch(listener.socket.get(), EPOLLIN, [this, &listener](uint32_t /*events*/) { Accept(listener); })
      .ok();
}

void ConnectionGate::CloseListeners() {
  for (Listener& listener : listeners_) {
    if (listener.socket.valid()) {
      io_->loop().Unwatch(listener.socket.get());
      listener.socket.reset();
      if (!listener.own_path.empty()) {
        unlink(listener.own_path.c_str());
      }
    }
  }
}

void ConnectionGate::Finish(int64_t grace_ms) {
  if (!thread_.joinable()) {
    return;
  }
  io_->Post([this, grace_ms] {
    finishing_ = true;
    io_->loop().At(MonotonicNanos() + grace_ms * kNanosPerMilli, [this] { io_->loop().Stop(); });
    if (connections_.empty()) {
      io_->loop().Stop();
    }
  });
  thread_.join();
}

void ConnectionGate::Accept(Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    UniqueFd client(accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client.valid()) {
      Admit(std::move(client), listener);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      Tell("no descriptor or memory for a new connection");
      PauseAccepting(listener);
    }
    return;
  }
}

// The listener stays readable while nothing can be accepted, and would be told of without end.
void ConnectionGate::PauseAccepting(Listener& listener) {
  io_->loop().Unwatch(listener.socket.get());
  io_->loop().At(MonotonicNanos() + kAcceptPauseMs * kNanosPerMilli, [this, &listener] {
    if (listener.socket.valid() && !WatchListener(listener)) {
      PauseAccepting(listener);
    }
  });
}

void ConnectionGate::Admit(UniqueFd client, const Listener& listener) {
  // Before anything else, so that one who may not come in cannot push out those who may.
  if (!IsAllowedPeer(client.get(), listener.peers)) {
    Tell("its user may not use this socket");
    return;
  }
  if (connections_.size() >= bounds_.connections && !MakeRoomFor(Standing(listener.caller))) {
    Tell("there are too many connections, and each has calls: a new one was refused");
    return;
  }
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    Tell("no descriptor or memory for a new connection");
    return;
  }
  UniqueFd ours(ends[0]);
  UniqueFd grpcs(ends[1]);
  Keeper& keeper = *this;
  const std::string name = book_.Add(listener.caller);
  if (!NameSocket(ours.get(), name)) {
    book_.Remove(name);
    Tell("the kernel has no room to name a new connection");
    return;
  }
  auto connection = std::make_unique<GatedConnection>(io_->loop(), keeper, std::move(client), std::move(ours),
                                                      name, book_.StandingOf(name), bounds_.incomplete_ms);
  if (!connection->Start()) {
    book_.Remove(name);
    Tell("the kernel has no room to watch a new connection");
    return;
  }
  GatedConnection* const raw = connection.get();
  connections_.emplace(raw, std::move(connection));
  handover_(std::move(grpcs));
}

// Each connection with its group as it is now: a call's token may move one while this thread looks.
std::vector<ConnectionGate::Member> ConnectionGate::Members() const {
  std::vector<Member> members;
  members.reserve(connections_.size());
  for (const auto& [connection, owner] : connections_) {
    members.push_back({connection, connection->group()});
  }
  return members;
}

// Those of the group with the most of what `count` counts; there is one at least.
template <class Count>
std::vector<ConnectionGate::Member> ConnectionGate::LargestGroup(Count count) const {
  std::vector<Member> members = Members();
  std::unordered_map<std::string_view, size_t> counts;
  for (const Member& member : members) {
    counts[member.group] += count(*member.connection);
  }
  const auto largest =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& left, const auto& right) { return left.second < right.second; });
  std::erase_if(members, [&](const Member& member) { return member.group != largest->first; });
  return members;
}

// Of the group with the most connections the one that was idle for longest ends. Where none of them is idle,
// one with calls ends, but only for a newcomer of another group: a tenant does not keep others out by being
// busy. Strangers are no such group: all of them but the newcomer may be one.
bool ConnectionGate::MakeRoomFor(const Standing& newcomer) {
  const std::vector<Member> largest =
      LargestGroup([](const GatedConnection& /*connection*/) { return size_t{1}; });
  // One that was never used goes before one that is idle between calls.
  const auto order = [](const Member& member) {
    const GatedConnection& connection = *member.connection;
    return std::make_tuple(connection.open_calls(), connection.had_calls(), connection.active_ns());
  };
  const Member first =
      *std::min_element(largest.begin(), largest.end(),
                        [&](const Member& left, const Member& right) { return order(left) < order(right); });
  const bool busy = first.connection->open_calls() != 0;
  if (busy && newcomer.group() == first.group && !newcomer.is_strangers()) {
    return false;
  }
  first.connection->End(busy ? "its group has the most connections, and there are too many"
                             : "it was idle for longest, and there are too many");
  return true;
}

GatedConnection* ConnectionGate::MostCalls() {
  const std::vector<Member> largest =
      LargestGroup([](const GatedConnection& connection) { return connection.open_calls(); });
  return std::max_element(largest.begin(), largest.end(),
                          [](const Member& left, const Member& right) {
                            return left.connection->open_calls() < right.connection->open_calls();
                          })
      ->connection;
}

GatedConnection::Leave ConnectionGate::MayPass(GatedConnection& connection, uint32_t cost) {
  const bool its_turn = turn_of_ == &connection && turn_left_ > 0;
  if (!waiting_.empty() && !its_turn) {
    waiting_.PushBack(&connection, connection.group());
    return GatedConnection::Leave::kWait;
  }
  if (!rate_.Take(cost, MonotonicNanos())) {
    // Whose turn it is stays in front: going to the back, it might find the tokens taken each time it comes
    // up.
    its_turn ? waiting_.PushFront(&connection, connection.group())
             : waiting_.PushBack(&connection, connection.group());
    out_of_tokens_ = true;
    SetTurnTimer();
    return GatedConnection::Leave::kWait;
  }
  turn_left_ -= its_turn ? std::min(cost, turn_left_) : 0;
  if (open_calls_ >= bounds_.open_calls) {
    GatedConnection* const most = MostCalls();
    most->End("it had the most open calls, and there are too many");
    if (most == &connection) {
      return GatedConnection::Leave::kEnd;
    }
  }
  return GatedConnection::Leave::kGranted;
}

void ConnectionGate::SetTurnTimer() {
  if (turn_timer_ == 0 && !waiting_.empty()) {
    const int64_t soonest = MonotonicNanos() + kTurnEveryMs * kNanosPerMilli;
    turn_timer_ = io_->loop().At(std::max(rate_.NextNs(), soonest), [this] {
      turn_timer_ = 0;
      GiveTurns();
    });
  }
}

void ConnectionGate::GiveTurns() {
  out_of_tokens_ = false;
  while (!waiting_.empty() && !out_of_tokens_) {
    GatedConnection* const next = waiting_.Pop();
    if (turn_of_ != next) {
      turn_of_ = next;
      turn_left_ = kCostATurn;
    }
    next->Resume();
    if (!out_of_tokens_) {
      turn_of_ = nullptr;
    }
  }
  SetTurnTimer();
}

void ConnectionGate::OnEnd(GatedConnection& connection, const char* reason) {
  if (reason != nullptr) {
    Tell(reason);
  }
  if (turn_of_ == &connection) {
    turn_of_ = nullptr;
  }
  waiting_.Remove(&connection);
  const auto found = connections_.find(&connection);
  // One that could not start is its maker's to destroy.
  if (found == connections_.end()) {
    return;
  }
  book_.Remove(connection.name());
  if (ended_.empty()) {
    io_->loop().At(0, [this] { ended_.clear(); });
  }
  ended_.push_back(std::move(found->second));
  connections_.erase(found);
  if (finishing_ && connections_.empty()) {
    io_->loop().Stop();
  }
}

// What a client does must not fill the log.
void ConnectionGate::Tell(const char* what) {
  const int64_t now = MonotonicNanos();
  if (told_ns_ != 0 && now < told_ns_ + kTellEveryMs * kNanosPerMilli) {
    ++untold_;
    return;
  }
  told_ns_ = now;
  spdlog::warn("a client's connection was ended or refused: {} ({} more since the last such line)", what,
               std::exchange(untold_, 0));
}

}  // namespace caisson::dispatcher
