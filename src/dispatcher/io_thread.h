// The dispatcher's one I/O thread: an event loop that other threads may hand closures to. All state of runs
// lives on it, so no part of a run is ever locked.
#ifndef CAISSON_DISPATCHER_IO_THREAD_H_
#define CAISSON_DISPATCHER_IO_THREAD_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/event_loop.h"
#include "common/unique_fd.h"

namespace caisson::dispatcher {

// Made and run by one thread (main). Post is for every thread; the rest is for the I/O thread alone.
class IoThread {
 public:
  using Task = std::function<void()>;

  static absl::StatusOr<std::unique_ptr<IoThread>> Create();
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Runs `task` on the I/O thread, in the order of posting. Never blocks for long. The queue's length is
  // bounded by its users: each open call has at most three tasks in it.
  void Post(Task task) ABSL_LOCKS_EXCLUDED(mutex_);

  EventLoop& loop() { return *loop_; }

 private:
  IoThread(std::unique_ptr<EventLoop> loop, UniqueFd wake) : loop_(std::move(loop)), wake_(std::move(wake)) {}
  void RunTasks() ABSL_LOCKS_EXCLUDED(mutex_);

  std::unique_ptr<EventLoop> loop_;
  UniqueFd wake_;  // an eventfd
  absl::Mutex mutex_;
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_IO_THREAD_H_
