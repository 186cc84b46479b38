// FollowRun calls: each reads its run's spool from where its client is, one event at a time, and waits where
// there is no more yet. A follower has no part in the run: it may come, be slow and go as it likes. On the
// I/O thread; the reading is the record thread's.
#ifndef CAISSON_DISPATCHER_FOLLOWER_H_
#define CAISSON_DISPATCHER_FOLLOWER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>

#include "common/event_loop.h"
#include "dispatcher/client_stream.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/record_thread.h"
#include "dispatcher/run_name.h"
#include "dispatcher/spool_format.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

class Followers {
 public:
  // A client that takes nothing for this long is cut off; it can come again.
  static constexpr int64_t kIdleTimeoutMs = 60'000;

  Followers(IoThread& io, RecordThread& thread) : io_(io), thread_(thread) {}
  ~Followers();
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;

  // A run that the caller does not see is missing.
  void Begin(const Caller& caller, const RunId& run, const FollowPosition& from,
             std::shared_ptr<ClientStream> client);
  // The spool or the record of `run` has more.
  void OnMore(const RunId& run);

  size_t size() const { return all_.size(); }

 private:
  class Follower;

  IoThread& io_;
  RecordThread& thread_;
  std::set<std::shared_ptr<Follower>> all_;
  std::multimap<RunId, Follower*> waiting_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_FOLLOWER_H_
