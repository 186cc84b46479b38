// Admission: the one door every run goes through. Decides who starts now, who waits and who is refused.
// Pure bookkeeping, owned by the io thread; a fair scheduler can take this class's place behind the same
// functions.
#ifndef CAISSON_DISPATCHER_ADMISSION_H_
#define CAISSON_DISPATCHER_ADMISSION_H_

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

namespace caisson::dispatcher {

using AdmissionId = uint64_t;

struct AdmissionConfig {
  uint32_t max_running = 0;
  uint64_t memory_budget_bytes = 0;
  uint32_t queue_length = 0;
  uint64_t max_queued_bytes = 0;  // of request content held while waiting
};

// First in, first out, and strictly: a run that does not fit yet holds up those behind it, so that a large
// one is never starved by small ones.
class Admission {
 public:
  enum class Entry : uint8_t { kAccepted, kQueueFull, kTooManyBytes };

  explicit Admission(const AdmissionConfig& config) : config_(config) {}

  // Puts a run at the end of the queue. `memory_bytes` must be within the whole budget (the caller refuses
  // others), or it would wait for ever.
  Entry Enqueue(AdmissionId id, uint64_t memory_bytes, uint64_t request_bytes);

  // Takes the first waiting run if there is room for it; it then counts as running until Release.
  std::optional<AdmissionId> AdmitNext();

  // Takes a waiting run out of the queue. False if it is not waiting.
  bool Remove(AdmissionId id);

  // Gives back a part of what an admitted run holds.
  void Reduce(AdmissionId id, uint64_t bytes);

  // Gives back what an admitted run held.
  void Release(AdmissionId id);

  // The waiting runs, the next one first.
  std::vector<AdmissionId> Waiting() const;

  size_t waiting() const { return queue_.size(); }
  size_t running() const { return running_.size(); }
  uint64_t memory_in_use_bytes() const { return memory_in_use_bytes_; }

 private:
  struct Waiter {
    AdmissionId id;
    uint64_t memory_bytes;
    uint64_t request_bytes;
  };

  bool Fits(uint64_t memory_bytes) const {
    return running_.size() < config_.max_running &&
           memory_bytes <= config_.memory_budget_bytes - memory_in_use_bytes_;
  }

  AdmissionConfig config_;
  std::list<Waiter> queue_;
  std::unordered_map<AdmissionId, std::list<Waiter>::iterator> waiters_;
  std::unordered_map<AdmissionId, uint64_t> running_;  // the memory each holds
  uint64_t memory_in_use_bytes_ = 0;
  uint64_t queued_bytes_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_ADMISSION_H_
