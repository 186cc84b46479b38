// How many bytes of bodies and answers all clients together may have under way. One thread.
#ifndef CAISSON_GATEWAY_BYTE_BUDGET_H_
#define CAISSON_GATEWAY_BYTE_BUDGET_H_

#include <cstddef>

namespace caisson::gateway {

class ByteBudget {
 public:
  explicit ByteBudget(size_t limit) : limit_(limit) {}
  size_t used() const { return used_; }

  // A share of no more can use the last eighth too: a few who hold much do not keep everybody else out.
  static constexpr size_t kSmallBytes = size_t{64} << 10U;

  // What one client holds; given back with it.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    ~Share() { budget_.used_ -= held_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // From now on `bytes` in all. False, and nothing changes, where the budget has no room for them.
    bool Hold(size_t bytes) {
      const size_t limit = bytes <= kSmallBytes ? budget_.limit_ : budget_.limit_ - budget_.limit_ / 8;
      if (bytes > held_ && budget_.used_ - held_ + bytes > limit) {
        return false;
      }
      budget_.used_ = budget_.used_ - held_ + bytes;
      held_ = bytes;
      return true;
    }

   private:
    ByteBudget& budget_;
    size_t held_ = 0;
  };

 private:
  const size_t limit_;
  size_t used_ = 0;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_BYTE_BUDGET_H_
