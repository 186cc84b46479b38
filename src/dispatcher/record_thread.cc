#include "dispatcher/record_thread.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kRetryMs = 500;
// How long what was kept long enough may stay, at most. Without work there is no look at it but when one is
// due.
constexpr int64_t kExpirySlackMs = 5'000;

}  // namespace

RecordThread::RecordThread(IoThread& io, std::unique_ptr<RunStore> store, Metrics* metrics)
    : io_(io), store_(std::move(store)), metrics_(metrics), thread_([this] { Loop(); }) {}

RecordThread::~RecordThread() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void RecordThread::Queue(Task task) {
  const absl::MutexLock lock(&mutex_);
  pressing_ = pressing_ || task.kind != Kind::kWrite;
  waiting_.push_back(std::move(task));
}

void RecordThread::Loop() {
  bool stopping = false;
  while (!stopping) {
    std::vector<Task> batch;
    {
      const absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(this, &RecordThread::HasWork), MostIdle())) {
        mutex_.AwaitWithTimeout(absl::Condition(this, &RecordThread::IsPressing),
                                absl::Milliseconds(kGatherMs));
      }
      batch.swap(waiting_);
      pressing_ = false;
      stopping = stopping_;
    }
    RunBatch(std::move(batch));
    if (stopping || MonotonicNanos() >= next_retry_ns_) {
      RetryStuck();
    }
    Expire();
  }
  if (!stuck_.empty()) {
    spdlog::error("records: the ends of {} runs could not be stored", stuck_.size());
  }
}

absl::Duration RecordThread::MostIdle() const {
  int64_t until_ns = next_expiry_ns_;
  if (!stuck_.empty()) {
    until_ns = std::min(until_ns, next_retry_ns_);
  }
  return until_ns == kNever ? absl::InfiniteDuration()
                            : absl::Nanoseconds(std::max<int64_t>(until_ns - MonotonicNanos(), 0));
}

// All in one transaction; false if it came to nothing.
bool RecordThread::TryTogether(std::vector<Task>& batch) {
  const auto writes = [](const Task& task) { return task.kind >= Kind::kWrite; };
  const bool any = std::any_of(batch.begin(), batch.end(), writes);
  const bool durable =
      std::any_of(batch.begin(), batch.end(), [](const Task& task) { return task.kind == Kind::kDurable; });
  if (any &&
      !store_->Begin(durable ? RecordStore::Durability::kPower : RecordStore::Durability::kProcess).ok()) {
    store_->Rollback();
    return false;
  }
  for (Task& task : batch) {
    task.status = task.work(*store_);
    if (!task.status.ok() && writes(task)) {
      store_->Rollback();
      return false;
    }
  }
  const int64_t begun_ns = MonotonicNanos();
  if (any && !store_->Commit().ok()) {
    store_->Rollback();
    return false;
  }
  if (any && metrics_ != nullptr) {
    metrics_->OnCommit(MonotonicNanos() - begun_ns);
  }
  return true;
}

absl::Status RecordThread::TryAlone(Task& task) {
  if (task.kind < Kind::kWrite) {
    return task.work(*store_);
  }
  absl::Status status = store_->Begin(task.kind == Kind::kDurable ? RecordStore::Durability::kPower
                                                                  : RecordStore::Durability::kProcess);
  if (status.ok()) {
    status = task.work(*store_);
  }
  if (status.ok()) {
    status = store_->Commit();
  }
  if (!status.ok()) {
    store_->Rollback();
  }
  return status;
}

void RecordThread::RunBatch(std::vector<Task> batch) {
  if (batch.empty()) {
    return;
  }
  // A run may have ended that is due before all others.
  next_expiry_ns_ = std::min(next_expiry_ns_, MonotonicNanos() + kExpirySlackMs * kNanosPerMilli);
  if (!TryTogether(batch)) {
    // Each for itself, so that one that cannot be done takes no other with it.
    for (Task& task : batch) {
      task.status = TryAlone(task);
      if (task.surely && absl::IsResourceExhausted(task.status) && store_->ReleaseBallast()) {
        spdlog::error("records: the disk is full; no run is created until there is room again");
        task.status = TryAlone(task);
      }
      if (!task.status.ok() && task.kind >= Kind::kWrite) {
        spdlog::error("records: {}", Message(task.status));
        if (metrics_ != nullptr) {
          metrics_->OnRecordFailure();
        }
      }
    }
  }
  const auto stuck = std::stable_partition(batch.begin(), batch.end(),
                                           [](const Task& task) { return task.status.ok() || !task.surely; });
  std::move(stuck, batch.end(), std::back_inserter(stuck_));
  batch.erase(stuck, batch.end());
  HandBack(std::move(batch));
}

void RecordThread::RetryStuck() {
  std::vector<Task> done;
  std::vector<Task> still;
  for (Task& task : stuck_) {
    task.status = TryAlone(task);
    (task.status.ok() ? done : still).push_back(std::move(task));
  }
  stuck_ = std::move(still);
  next_retry_ns_ = MonotonicNanos() + kRetryMs * kNanosPerMilli;
  HandBack(std::move(done));
}

void RecordThread::Expire() {
  if (MonotonicNanos() < next_expiry_ns_) {
    return;
  }
  std::optional<int64_t> next_ms = kExpirySlackMs;
  Task task{[&next_ms](RunStore& store) -> absl::Status {
              ASSIGN_OR_RETURN(next_ms, store.Expire());
              return absl::OkStatus();
            },
            nullptr, Kind::kWrite};
  if (const absl::Status status = TryAlone(task); !status.ok()) {
    spdlog::warn("records: {}", Message(status));
  }
  Measure();
  next_expiry_ns_ = next_ms.has_value() ? MonotonicNanos() + *next_ms * kNanosPerMilli : kNever;
}

void RecordThread::Measure() {
  const absl::StatusOr<std::map<std::string, RecordUsage>> usage = store_->records().AllUsage();
  if (metrics_ == nullptr || !usage.ok()) {
    return;
  }
  for (const auto& [tenant, used] : *usage) {
    metrics_->OnStored(tenant, used.bytes, used.records);
  }
}

void RecordThread::HandBack(std::vector<Task> done) {
  if (done.empty()) {
    return;
  }
  io_.Post([tasks = std::make_shared<std::vector<Task>>(std::move(done))] {
    for (Task& task : *tasks) {
      if (task.done != nullptr) {
        task.done(task.status);
      }
      task = Task();  // What it holds goes before the next one.
    }
  });
}

}  // namespace caisson::dispatcher
