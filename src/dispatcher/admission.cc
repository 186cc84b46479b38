#include "dispatcher/admission.h"

#include "common/status.h"

namespace caisson::dispatcher {

Admission::Entry Admission::Enqueue(AdmissionId id, uint64_t memory_bytes, uint64_t request_bytes) {
  CAISSON_CHECK(memory_bytes <= config_.memory_budget_bytes);
  // A run that starts at once never waits, so the bounds of the queue do not concern it.
  const bool starts_at_once = queue_.empty() && Fits(memory_bytes);
  if (!starts_at_once) {
    if (queue_.size() >= config_.queue_length) {
      return Entry::kQueueFull;
    }
    if (request_bytes > config_.max_queued_bytes - queued_bytes_) {
      return Entry::kTooManyBytes;
    }
  }
  // The door holds even if one is admitted between two calls of AdmitNext: bytes are counted for every
  // waiter.
  queue_.push_back(Waiter{id, memory_bytes, starts_at_once ? 0 : request_bytes});
  queued_bytes_ += queue_.back().request_bytes;
  waiters_.emplace(id, std::prev(queue_.end()));
  return Entry::kAccepted;
}

std::optional<AdmissionId> Admission::AdmitNext() {
  if (queue_.empty() || !Fits(queue_.front().memory_bytes)) {
    return std::nullopt;
  }
  const Waiter first = queue_.front();
  CAISSON_CHECK(Remove(first.id));
  running_.emplace(first.id, first.memory_bytes);
  memory_in_use_bytes_ += first.memory_bytes;
  return first.id;
}

bool Admission::Remove(AdmissionId id) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) {
    return false;
  }
  queued_bytes_ -= found->second->request_bytes;
  queue_.erase(found->second);
  waiters_.erase(found);
  return true;
}

void Admission::Reduce(AdmissionId id, uint64_t bytes) {
  const auto found = running_.find(id);
  CAISSON_CHECK(found != running_.end() && bytes <= found->second);
  found->second -= bytes;
  memory_in_use_bytes_ -= bytes;
}

void Admission::Release(AdmissionId id) {
  const auto found = running_.find(id);
  CAISSON_CHECK(found != running_.end());
  memory_in_use_bytes_ -= found->second;
  running_.erase(found);
}

std::vector<AdmissionId> Admission::Waiting() const {
  std::vector<AdmissionId> ids;
  ids.reserve(queue_.size());
  for (const Waiter& waiter : queue_) {
    ids.push_back(waiter.id);
  }
  return ids;
}

}  // namespace caisson::dispatcher
