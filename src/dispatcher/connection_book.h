// Who is at the other end of each connection that gRPC has. gRPC tells a call's handler the address of its
// peer and nothing else, so the gate gives each connection an address of its own: 128 random bits that are
// never used again, in a kernel object only the gate made. Written by the gate's thread, read by gRPC's. A
// call whose connection is not in here any more gets no identity, and is refused.
#ifndef CAISSON_DISPATCHER_CONNECTION_BOOK_H_
#define CAISSON_DISPATCHER_CONNECTION_BOOK_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "dispatcher/standing.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

class ConnectionBook {
 public:
  // Notes a new connection; its name. Ends the program if the kernel gives no random numbers.
  std::string Add(const Caller& caller);
  void Remove(const std::string& name);

  // `peer` as grpc::ServerContextBase::peer() tells it.
  std::optional<Caller> Find(std::string_view peer) const;

  // A call of `peer` has shown a valid token of this caller's.
  void NoteToken(std::string_view peer, const Caller& caller);
  // Of the connection of this name, which is in the book; for whoever keeps it.
  std::shared_ptr<const Standing> StandingOf(const std::string& name) const;

 private:
  struct Entry {
    Caller caller;
    std::shared_ptr<Standing> standing;
  };

  std::optional<Entry> Look(std::string_view peer) const;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;  // by name
};

// Gives `socket`, one end of a pair, an address that the other end's peer() will be. False where the kernel
// refuses.
bool NameSocket(int socket, const std::string& name);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CONNECTION_BOOK_H_
