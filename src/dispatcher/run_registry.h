// The runs in memory: every live one, and finished ones until the disk has them (run_store.h), or for a while
// where it does not take them. Bounded, on the I/O thread. What is too old goes when somebody asks; nothing
// wakes up for it. Every look-up for a client takes the caller: another tenant's run is not there.
#ifndef CAISSON_DISPATCHER_RUN_REGISTRY_H_
#define CAISSON_DISPATCHER_RUN_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

class RunRegistry {
 public:
  static constexpr size_t kMaxFinished = 1000;
  // Of finished runs together, serialized: a result may name a thousand files.
  static constexpr size_t kMaxFinishedBytes = 32UL * 1024 * 1024;
  static constexpr int64_t kKeepNanos = 600LL * 1'000'000'000;

  // `key` grows with every run, `number` with every run of the tenant; `run` has its name.
  void Add(uint64_t key, const TenantId& tenant, uint64_t number, v1::Run run);
  void SetState(uint64_t key, v1::Run::State state);
  // `run` becomes FINISHED with `result`. Without effect on one that is no longer here.
  void Finish(uint64_t key, const v1::RunResult& result, int64_t end_unix_nanos, int64_t now_nanos);
  // Forgets a run that was refused before it started. True: there was one.
  bool EraseUnlessFinished(uint64_t key);
  // The disk has it. Without effect on one that is not here.
  void Erase(uint64_t key);

  // Null, or valid until the next call.
  const v1::Run* Find(const Caller& caller, const std::string& name, int64_t now_nanos);
  std::optional<uint64_t> KeyOf(const Caller& caller, const std::string& name) const;
  // Null, or valid until the next call.
  const v1::Run* At(uint64_t key) const;
  // All that the caller sees, as they are now, by Caller::PlaceOf.
  std::map<uint64_t, v1::Run> All(const Caller& caller, int64_t now_nanos);

 private:
  struct Record {
    TenantId tenant;
    uint64_t number = 0;
    v1::Run run;
  };

  const Record* FindRecord(const Caller& caller, const std::string& name) const;
  void Expire(int64_t now_nanos);

  std::map<uint64_t, Record> runs_;
  std::unordered_map<std::string, uint64_t> keys_;
  struct Finished {
    int64_t at_nanos;
    uint64_t key;
    size_t bytes;
  };
  std::deque<Finished> finished_;  // oldest first
  size_t finished_bytes_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_REGISTRY_H_
