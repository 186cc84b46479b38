// Runs of CreateRun, which are nobody's call: makes them, once for each request_id, stores what they put out,
// and records their end. On the I/O thread; the disk is the record thread's.
#ifndef CAISSON_DISPATCHER_CREATED_RUNS_H_
#define CAISSON_DISPATCHER_CREATED_RUNS_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "dispatcher/follower.h"
#include "dispatcher/record_thread.h"
#include "dispatcher/run.h"
#include "dispatcher/spool_stream.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

class CreatedRuns {
 public:
  // OK and the run as it is now, or the refusal.
  using Reply = std::function<void(const grpc::Status& status, const v1::Run& run)>;

  // What it needs of the run manager.
  struct Host {
    // Gives the run its key and its number.
    std::function<void(RunSpec& spec)> enter;
    // Why the run cannot be taken in now, as far as is known without trying; OK: try.
    std::function<grpc::Status(const RunSpec& spec)> closed;
    // Through the one door; a refusal reaches `client`.
    std::function<void(RunSpec spec, std::shared_ptr<ClientStream> client)> submit;
    // The run as it is in memory; null: it is not there.
    std::function<const v1::Run*(RunKey key)> in_memory;
    // Ends a run whose output cannot be stored.
    std::function<void(RunKey key)> fail;
    // The record has it now; memory need not.
    std::function<void(RunKey key)> stored;
  };

  CreatedRuns(IoThread& io, RecordThread& thread, Followers& followers, Host host)
      : io_(io), thread_(thread), followers_(followers), host_(std::move(host)) {}

  void Create(RunSpec spec, Reply reply);

  bool Has(RunKey key) const { return runs_.contains(key); }
  void OnResult(RunKey key, const v1::RunResult& result);
  // Nothing happens to the run any more. `service_gone`: caissond is, which the run may have been waiting
  // for.
  void OnEnded(RunKey key, int64_t end_unix_nanos, bool service_gone);

 private:
  using RequestKey = std::pair<TenantId, std::string>;
  struct Created {
    TenantId tenant;
    uint64_t number = 0;
    RunId id{};
    std::shared_ptr<SpoolStream> stream;
    std::optional<v1::RunResult> result;
  };
  // Being recorded; others who ask for the same wait for what comes of it.
  struct Pending {
    std::string digest;
    std::vector<Reply> replies;
  };

  void OnRecorded(RunSpec spec, const absl::Status& status, const RunStore::Creation& creation,
                  const Reply& reply);
  void Submit(RunSpec spec, const Reply& reply);
  Reply JoinPending(const RunSpec& spec, Reply reply);
  // While the door is closed: the run that has the request_id already, or `refusal`.
  void LookOnly(const RunSpec& spec, const grpc::Status& refusal, Reply reply);
  void ReplyWithStored(RunKey key, const v1::Run& stored, const Reply& reply);

  IoThread& io_;
  RecordThread& thread_;
  Followers& followers_;
  const Host host_;
  std::unordered_map<RunKey, Created> runs_;
  std::map<RequestKey, Pending> pending_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CREATED_RUNS_H_
