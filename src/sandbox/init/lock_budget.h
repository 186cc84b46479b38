// Bounds the record locks (fcntl) that a run holds: Linux charges their memory to nobody. Each call that may
// take one is counted; init cannot see what it locks or unlocks, so when the count is used up it asks
// caissond, which looks. Pure; also built hosted for the sanitized unit tests.
#ifndef CAISSON_SANDBOX_INIT_LOCK_BUDGET_H_
#define CAISSON_SANDBOX_INIT_LOCK_BUDGET_H_

#include <stdint.h>

namespace caisson::init {

class LockBudget {
 public:
  enum class Answer : uint32_t { kGoOn, kRefuse, kAsk };

  // The most locks of processes that a run may hold at once. Far above what SQLite and its like need; 4 MiB
  // of kernel memory.
  static constexpr uint64_t kMostHeld = 16'384;
  // Calls for locks of open files in the run's whole life: a descriptor in flight between two processes hides
  // them from whoever would look, so nothing is ever given back.
  static constexpr uint64_t kMostOpenFileCalls = 2'048;
  // One call can turn one lock into three.
  static constexpr uint64_t kLocksPerCall = 2;
  // Looking is worth it after so many calls, or so long after the last time.
  static constexpr uint64_t kCallsBetweenQuestions = 2'048;
  static constexpr int64_t kNanosBetweenQuestions = 1'000'000'000;

  // A call for a lock: of the process, or of the open file. kAsk: counted only once Held has been called, by
  // asking again.
  Answer Take(bool of_open_file, int64_t now_nanos) {
    if (of_open_file) {
      if (open_file_calls_ == kMostOpenFileCalls) {
        return Answer::kRefuse;
      }
      ++open_file_calls_;
      return Answer::kGoOn;
    }
    if (left_ >= kLocksPerCall) {
      left_ -= kLocksPerCall;
      ++calls_since_question_;
      return Answer::kGoOn;
    }
    const bool worth_it = calls_since_question_ >= kCallsBetweenQuestions ||
                          now_nanos - last_question_nanos_ >= kNanosBetweenQuestions;
    if (!worth_it) {
      return Answer::kRefuse;
    }
    calls_since_question_ = 0;
    return Answer::kAsk;
  }

  // The answer to the question: at most `held` locks are held now.
  void Held(uint64_t held, int64_t now_nanos) {
    last_question_nanos_ = now_nanos;  // However long the answer took, it was the answer to this one.
    if (held < kMostHeld && kMostHeld - held > left_) {
      left_ = kMostHeld - held;
    }
  }

 private:
  uint64_t left_ = kMostHeld;
  uint64_t open_file_calls_ = 0;
  uint64_t calls_since_question_ = 0;
  int64_t last_question_nanos_ = -kNanosBetweenQuestions;
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_LOCK_BUDGET_H_
