// Counts refused system calls by number, within fixed memory. Pure; also built hosted for the sanitized unit
// tests.
#ifndef CAISSON_SANDBOX_INIT_DENIALS_H_
#define CAISSON_SANDBOX_INIT_DENIALS_H_

#include <stdint.h>

#include "ipc/run_streams.h"

namespace caisson::init {

struct DenialKind {
  int32_t syscall_number;
  uint32_t killed;
  uint64_t count;
  uint64_t args[6];
};

class DenialCounter {
 public:
  explicit DenialCounter(uint64_t limit_per_second) : limit_per_second_(limit_per_second) {}

  // Returns the entry if this is the first refusal of that call and it is among those worth an event at once.
  const DenialKind* Count(int32_t number, bool killed, const uint64_t (&args)[6], int64_t now_nanos) {
    ++total_;
    constexpr int64_t kSecond = 1'000'000'000;
    if (now_nanos - window_start_ >= kSecond) {
      window_start_ = now_nanos;
      window_count_ = 0;
    }
    ++window_count_;
    for (uint32_t i = 0; i < kinds_used_; ++i) {
      if (kinds_[i].syscall_number == number) {
        ++kinds_[i].count;
        kinds_[i].killed |= killed ? 1U : 0U;
        return nullptr;
      }
    }
    if (kinds_used_ == wire::kMaxDenialKinds) {
      ++other_;
      return nullptr;
    }
    DenialKind& kind = kinds_[kinds_used_++];
    kind.syscall_number = number;
    kind.killed = killed ? 1U : 0U;
    kind.count = 1;
    for (int i = 0; i < 6; ++i) {
      kind.args[i] = args[i];
    }
    return kinds_used_ <= wire::kMaxLiveDenials ? &kind : nullptr;
  }

  bool over_rate() const { return window_count_ > limit_per_second_; }
  uint64_t in_window() const { return window_count_; }
  uint64_t total() const { return total_; }
  uint64_t other() const { return other_; }
  uint32_t kinds() const { return kinds_used_; }
  const DenialKind& kind(uint32_t index) const { return kinds_[index]; }

 private:
  DenialKind kinds_[wire::kMaxDenialKinds] = {};
  uint32_t kinds_used_ = 0;
  uint64_t limit_per_second_;
  uint64_t total_ = 0;
  uint64_t other_ = 0;
  uint64_t window_count_ = 0;
  int64_t window_start_ = 0;
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_DENIALS_H_
