// The way in: accepts clients' connections, and lets no more through to gRPC than it can bear. gRPC by itself
// stops accepting for good when descriptors run out once, works through every call of a client that only
// opens and resets them, and keeps a note of each header of an endless block. On a thread of its own.
#ifndef CAISSON_DISPATCHER_CONNECTION_GATE_H_
#define CAISSON_DISPATCHER_CONNECTION_GATE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "dispatcher/call_rate.h"
#include "dispatcher/connection_book.h"
#include "dispatcher/gated_connection.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/scheduling/waiting_line.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

class ConnectionGate final : private GatedConnection::Keeper {
 public:
  // Of all connections together (docs/specification.md).
  struct Bounds {
    size_t connections = 4'096;
    size_t open_calls = 8'192;
    uint32_t calls_per_second = 2'000;
    uint32_t calls_at_once = 512;  // before the rate holds
    int64_t incomplete_ms = 20'000;
  };
  // A socket that listens, and who comes through it.
  struct Listener {
    UniqueFd socket;
    Caller caller;
    std::vector<uid_t> peers;  // only these may come in; empty: whoever the socket's file lets in
    std::string address;       // for the log
    std::string own_path;      // the name that goes with the gate; empty: its maker's business
  };
  // Gives gRPC its end of a connection. On the gate's thread.
  using Handover = std::function<void(UniqueFd)>;

  // A listener on `path`, in the place of a socket that a dead predecessor left there.
  static absl::StatusOr<Listener> ListenOn(const std::string& path, const Caller& caller);
  // Each connection is in `book`, which outlives the gate, before gRPC has it. Serves from Start on.
  static absl::StatusOr<std::unique_ptr<ConnectionGate>> Create(std::vector<Listener> listeners,
                                                                ConnectionBook& book, const Bounds& bounds);
  ~ConnectionGate() override;
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  void Start(Handover handover);
  // From any thread: nobody new gets in, and the names of its own sockets are gone.
  void StopAccepting();
  // Waits until what gRPC said last has reached the clients that read, at most `grace_ms`, and ends the rest.
  void Finish(int64_t grace_ms);

 private:
  ConnectionGate(std::vector<Listener> listeners, ConnectionBook& book, const Bounds& bounds,
                 std::unique_ptr<IoThread> io);

  GatedConnection::Leave MayPass(GatedConnection& connection, uint32_t cost) override;
  void OnOpenCalls(size_t before, size_t now) override { open_calls_ += now - before; }
  void OnEnd(GatedConnection& connection, const char* reason) override;

  void CloseListeners();
  bool WatchListener(Listener& listener);
  void Accept(Listener& listener);
  void Admit(UniqueFd client, const Listener& listener);
  void PauseAccepting(Listener& listener);
  bool MakeRoomFor(const Standing& newcomer);
  struct Member {
    GatedConnection* connection;
    std::string_view group;  // as long as the connection
  };
  std::vector<Member> Members() const;
  template <class Count>
  std::vector<Member> LargestGroup(Count count) const;
  GatedConnection* MostCalls();
  void SetTurnTimer();
  void GiveTurns();
  void Tell(const char* what);

  const Bounds bounds_;
  ConnectionBook& book_;
  Handover handover_;
  std::unique_ptr<IoThread> io_;
  std::thread thread_;

  // On the gate's thread only.
  std::vector<Listener> listeners_;
  std::unordered_map<GatedConnection*, std::unique_ptr<GatedConnection>> connections_;
  std::vector<std::unique_ptr<GatedConnection>> ended_;  // until their handlers have returned
  size_t open_calls_ = 0;
  CallRate rate_;
  WaitingLine<GatedConnection> waiting_;  // for leave to pass headers on; in turn
  GatedConnection* turn_of_ = nullptr;    // until it has spent what a turn has, or has no more headers
  uint32_t turn_left_ = 0;
  bool out_of_tokens_ = false;
  EventLoop::TimerId turn_timer_ = 0;
  bool finishing_ = false;
  int64_t told_ns_ = 0;
  uint64_t untold_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CONNECTION_GATE_H_
