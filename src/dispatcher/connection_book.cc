#include "dispatcher/connection_book.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/status.h"

namespace caisson::dispatcher {
namespace {

// An abstract address: no file, and gone with the socket. Nobody can connect to it, since it does not listen.
constexpr std::string_view kNamePrefix = "caisson-connection-";
// What gRPC makes of such an address (grpc_sockaddr_to_uri).
constexpr std::string_view kPeerPrefix = "unix-abstract:";
constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

std::string ConnectionBook::Add(const Caller& caller) {
  std::array<uint8_t, 16> random{};
  CAISSON_CHECK(getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
  std::string name(kNamePrefix);
  for (const uint8_t byte : random) {
    name += kHexDigits[byte >> 4U];
    name += kHexDigits[byte & 0xfU];
  }
  const std::lock_guard lock(mutex_);
  entries_.emplace(name, Entry{caller, std::make_shared<Standing>(caller)});
  return name;
}

void ConnectionBook::Remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  entries_.erase(name);
}

std::optional<ConnectionBook::Entry> ConnectionBook::Look(std::string_view peer) const {
  if (peer.substr(0, kPeerPrefix.size()) != kPeerPrefix) {
    return std::nullopt;
  }
  const std::string name(peer.substr(kPeerPrefix.size()));
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Caller> ConnectionBook::Find(std::string_view peer) const {
  const std::optional<Entry> entry = Look(peer);
  return entry ? std::optional(entry->caller) : std::nullopt;
}

void ConnectionBook::NoteToken(std::string_view peer, const Caller& caller) {
  if (const std::optional<Entry> entry = Look(peer)) {
    entry->standing->Note(caller);
  }
}

std::shared_ptr<const Standing> ConnectionBook::StandingOf(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return entries_.at(name).standing;
}

bool NameSocket(int socket, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // The first byte of an abstract address is a NUL.
  const size_t length = name.copy(&address.sun_path[1], sizeof address.sun_path - 1);
  return bind(socket, reinterpret_cast<const sockaddr*>(&address),
              static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length)) == 0;
}

}  // namespace caisson::dispatcher
