// The thread that waits for the disk, so that the I/O thread never does. Takes pieces of work in order, those
// that wait together in one transaction, and hands what follows back to the I/O thread once they are
// committed. Changes that nobody waits for are gathered for a moment, so that those of
// several runs are one transaction.
#ifndef CAISSON_DISPATCHER_RECORD_THREAD_H_
#define CAISSON_DISPATCHER_RECORD_THREAD_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "dispatcher/io_thread.h"
#include "dispatcher/metrics.h"
#include "dispatcher/run_store.h"

namespace caisson::dispatcher {

class RecordThread {
 public:
  // On the record thread. May be called a second time, where others of its transaction failed: it must come
  // to the same then.
  using Work = std::function<absl::Status(RunStore& store)>;
  // On the I/O thread, with what Work came to, or the commit.
  using Done = std::function<void(const absl::Status& status)>;

  // Starts the thread. `io` outlives it, and `metrics`, which may be null.
  RecordThread(IoThread& io, std::unique_ptr<RunStore> store, Metrics* metrics);
  // Does what is left, then ends the thread.
  ~RecordThread();
  RecordThread(const RecordThread&) = delete;
  RecordThread& operator=(const RecordThread&) = delete;

  // For the I/O thread. The queue's length is bounded by its users: a call has one piece of work at a time, a
  // run one for each event that may wait, and a few for its record.
  void Read(Work work, Done done) { Queue({std::move(work), std::move(done), Kind::kRead}); }
  // Writes to spools, which no transaction covers.
  void Files(Work work, Done done) { Queue({std::move(work), std::move(done), Kind::kFiles}); }
  // Changes records. With kDurable, `done` comes when the change survives the loss of power. With kLasting it
  // survives the end of this process once `done` comes; it begins within kGatherMs, or with the next piece of
  // work of another kind, and a process that is killed before loses it.
  enum class Need : uint8_t { kLasting, kDurable };
  static constexpr int64_t kGatherMs = 5;
  void Write(Need need, Work work, Done done) {
    Queue({std::move(work), std::move(done), need == Need::kDurable ? Kind::kDurable : Kind::kWrite});
  }
  // The same for what must not be lost: tried until it is done. `done` comes then, or never.
  void WriteSurely(Need need, Work work, Done done) {
    Queue({std::move(work), std::move(done), need == Need::kDurable ? Kind::kDurable : Kind::kWrite, true});
  }

 private:
  enum class Kind : uint8_t { kRead, kFiles, kWrite, kDurable };
  struct Task {
    Work work;
    Done done;
    Kind kind = Kind::kRead;
    bool surely = false;
    absl::Status status = absl::OkStatus();
  };

  void Queue(Task task) ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !waiting_.empty() || stopping_; }
  bool IsPressing() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return pressing_ || stopping_; }
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Without work: until something is to be tried again or has been kept long enough.
  absl::Duration MostIdle() const;
  void RunBatch(std::vector<Task> batch);
  bool TryTogether(std::vector<Task>& batch);
  absl::Status TryAlone(Task& task);
  void RetryStuck();
  void Expire();
  void Measure();
  void HandBack(std::vector<Task> done);

  IoThread& io_;
  std::unique_ptr<RunStore> store_;
  Metrics* const metrics_;
  absl::Mutex mutex_;
  std::vector<Task> waiting_ ABSL_GUARDED_BY(mutex_);
  bool pressing_ ABSL_GUARDED_BY(mutex_) = false;  // something waits that is not gathered
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Task> stuck_;  // of WriteSurely: the record thread's, as the next one
  int64_t next_retry_ns_ = 0;
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  int64_t next_expiry_ns_ = 0;
  std::thread thread_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RECORD_THREAD_H_
