// Which group of connections one belongs to, as the gate counts them: what its listener says, or, where calls
// show tokens, whose they were so far. Written by gRPC's threads, read by the gate's.
#ifndef CAISSON_DISPATCHER_STANDING_H_
#define CAISSON_DISPATCHER_STANDING_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

class Standing {
 public:
  // Of a connection through a listener with this caller.
  explicit Standing(const Caller& caller);
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;

  // The same string for all of a group; no tenant's name where it is no single tenant's.
  const std::string& group() const;
  // Its listener asks for tokens, and no call has shown one that is valid: it may be anybody's.
  bool is_strangers() const { return group() == kStrangers; }
  // A call has shown a valid token of this one. From the second on it is several's: a gateway's, say, which
  // must not count as one of theirs.
  void Note(const Caller& caller);

 private:
  enum class Known : uint8_t { kByListener, kOneTenant, kSeveral };

  static const std::string kStrangers;
  static const std::string kSeveralTenants;

  const std::string of_listener_;
  std::mutex writing_;
  std::string of_tenant_;  // ORDER: written once, before known_ says so
  std::atomic<Known> known_ = Known::kByListener;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_STANDING_H_
