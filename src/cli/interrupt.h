// Ctrl-C: the first SIGINT or SIGTERM asks for a clean end, the second ends this program at once.
#ifndef CAISSON_CLI_INTERRUPT_H_
#define CAISSON_CLI_INTERRUPT_H_

#include <signal.h>

#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace caisson::cli {

// Takes signals, SIGINT and SIGTERM unless told otherwise, for as long as it lives, on a thread of its own.
// Make it before any other thread exists (they inherit the blocked signals); there can be one. A signal that
// was ignored at the start (nohup, a shell's background job) stays ignored.
class InterruptWatcher {
 public:
  static absl::StatusOr<std::unique_ptr<InterruptWatcher>> Create(std::initializer_list<int> numbers = {
                                                                      SIGINT, SIGTERM});
  ~InterruptWatcher();
  InterruptWatcher(const InterruptWatcher&) = delete;
  InterruptWatcher& operator=(const InterruptWatcher&) = delete;

  // Calls `on_first` at the first signal, on a thread of its own: it may block without keeping the second
  // signal from ending this program. Call once.
  void Start(std::function<void()> on_first);
  bool interrupted() const { return interrupted_.load(); }

 private:
  InterruptWatcher(UniqueFd signals, UniqueFd stop) : signals_(std::move(signals)), stop_(std::move(stop)) {}
  void Watch(const std::function<void()>& on_first);

  UniqueFd signals_;  // signalfd
  UniqueFd stop_;     // eventfd
  std::atomic<bool> interrupted_{false};
  std::thread thread_;
  std::thread first_;  // started by thread_, joined after it
};

}  // namespace caisson::cli

#endif  // CAISSON_CLI_INTERRUPT_H_
