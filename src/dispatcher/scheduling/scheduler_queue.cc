// The scheduler's queue: who has which place in it, and how it is shared when it is full. Who goes next is
// scheduler.cc's.
#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "dispatcher/scheduling/scheduler.h"

namespace caisson::dispatcher {

const Scheduler::Tenant& Scheduler::Longest() const {
  return std::max_element(tenants_.begin(), tenants_.end(),
                          [](const auto& left, const auto& right) {
                            return left.second.queue.size() < right.second.queue.size();
                          })
      ->second;
}

bool Scheduler::QueueIsFullFor(const Tenant& tenant) const {
  return config_.queue_length == 0 ||
         (waiters_.size() >= config_.queue_length && Longest().queue.size() <= tenant.queue.size() + 1);
}

// A full queue is shared, too: what the tenant with the most there put in last goes, as long as that leaves
// it with more than the newcomer's tenant has. All of it or none: who is refused in the end displaces nobody.
bool Scheduler::MakeRoomInQueue(const Tenant& tenant, uint64_t request_bytes) {
  if (config_.queue_length == 0 || request_bytes > config_.max_queued_bytes || QueueIsFullFor(tenant)) {
    return false;
  }
  // What would be left of each tenant's queue, from whose end it is taken.
  struct Queue {
    Tenant* tenant;
    uint64_t bytes;
    std::vector<std::map<QueueKey, Waiter>::iterator> taken;
    auto Last() const { return std::prev(taken.empty() ? tenant->queue.end() : taken.back()); }
    size_t size() const { return tenant->queue.size() - taken.size(); }
    void Take() {
      taken.push_back(Last());
      bytes -= taken.back()->second.request_bytes;
    }
  };
  std::vector<Queue> queues;
  for (auto& [id, other] : tenants_) {
    queues.push_back({&other, other.queued_bytes, {}});
  }
  if (waiters_.size() >= config_.queue_length) {
    std::max_element(queues.begin(), queues.end(), [](const Queue& left, const Queue& right) {
      return left.size() < right.size();
    })->Take();
  }
  const auto free_bytes = [&] {
    uint64_t held = 0;
    for (const Queue& queue : queues) {
      held += queue.bytes;
    }
    return config_.max_queued_bytes - held;
  };
  while (request_bytes > free_bytes()) {
    const auto largest =
        std::max_element(queues.begin(), queues.end(),
                         [](const Queue& left, const Queue& right) { return left.bytes < right.bytes; });
    if (largest->bytes <= tenant.queued_bytes + request_bytes) {
      return false;
    }
    largest->Take();
  }
  for (const Queue& queue : queues) {
    for (const auto at : queue.taken) {
      displaced_.push_back(at->first.second);
      EraseWaiter(*queue.tenant, at);
    }
  }
  return true;
}

void Scheduler::EraseWaiter(Tenant& tenant, std::map<QueueKey, Waiter>::iterator at) {
  queued_bytes_ -= at->second.request_bytes;
  tenant.queued_bytes -= at->second.request_bytes;
  waiters_.erase(at->first.second);
  tenant.queue.erase(at);
}

bool Scheduler::Remove(AdmissionId id) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) {
    return false;
  }
  Tenant& tenant = At(found->second.first);
  EraseWaiter(tenant, tenant.queue.find(found->second.second));
  return true;
}

std::vector<AdmissionId> Scheduler::Waiting() const {
  std::vector<AdmissionId> ids;
  ids.reserve(waiters_.size());
  for (const auto& [id, tenant] : tenants_) {
    for (const auto& [key, waiter] : tenant.queue) {
      ids.push_back(key.second);
    }
  }
  return ids;
}

size_t Scheduler::WaitingOf(const TenantId& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? 0 : found->second.queue.size();
}

size_t Scheduler::PlaceOf(AdmissionId id) const {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) {
    return 0;
  }
  const auto& queue = tenants_.at(found->second.first).queue;
  return static_cast<size_t>(std::distance(queue.begin(), queue.find(found->second.second))) + 1;
}

}  // namespace caisson::dispatcher
