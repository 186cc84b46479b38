#include "dispatcher/io_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "common/status.h"

namespace caisson::dispatcher {

absl::StatusOr<std::unique_ptr<IoThread>> IoThread::Create() {
  ASSIGN_OR_RETURN(std::unique_ptr<EventLoop> loop, EventLoop::Create());
  UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) {
    return ErrnoStatus(errno, "eventfd");
  }
  std::unique_ptr<IoThread> thread(new IoThread(std::move(loop), std::move(wake)));
  RETURN_IF_ERROR(thread->loop().Watch(thread->wake_.get(), EPOLLIN,
                                       [raw = thread.get()](uint32_t /*events*/) { raw->RunTasks(); }));
  return thread;
}

IoThread::~IoThread() { loop_->Unwatch(wake_.get()); }

void IoThread::Post(Task task) {
  bool first = false;
  {
    const absl::MutexLock lock(&mutex_);
    first = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (first) {
    // Cannot fail: the counter would have to reach 2^64 - 2.
    CAISSON_CHECK(eventfd_write(wake_.get(), 1) == 0);
  }
}

void IoThread::RunTasks() {
  eventfd_t ignored = 0;
  static_cast<void>(eventfd_read(wake_.get(), &ignored));
  std::vector<Task> tasks;
  {
    const absl::MutexLock lock(&mutex_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) {
    task();
    task = nullptr;  // What a task holds goes before the next one runs.
  }
}

}  // namespace caisson::dispatcher
