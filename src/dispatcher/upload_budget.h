// How many bytes of uploads this dispatcher holds, their requests included, from `open` until their run has
// its bundle. Thread-safe: shares are made on gRPC's threads and given back on the I/O thread.
#ifndef CAISSON_DISPATCHER_UPLOAD_BUDGET_H_
#define CAISSON_DISPATCHER_UPLOAD_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace caisson::dispatcher {

// Of all uploads together.
inline constexpr uint64_t kUploadBudgetBytes = 512ULL * 1024 * 1024;

class UploadBudget {
  struct State {
    explicit State(uint64_t most_bytes) : most(most_bytes) {}
    bool Take(uint64_t bytes) {
      uint64_t before = used.load(std::memory_order_relaxed);
      do {
        if (bytes > most - before) {
          return false;
        }
      } while (!used.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
      return true;
    }
    const uint64_t most;
    std::atomic<uint64_t> used{0};  // never more than `most`
  };

 public:
  explicit UploadBudget(uint64_t most_bytes) : state_(std::make_shared<State>(most_bytes)) {}

  // What one upload holds; given back at its end of life. An empty one holds nothing and takes nothing.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept : state_(std::move(other.state_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      if (this != &other) {
        GiveBack();
        state_ = std::move(other.state_);
        bytes_ = std::exchange(other.bytes_, 0);
      }
      return *this;
    }
    ~Share() { GiveBack(); }

    // False if there is no room for so many more; then nothing was taken.
    bool Take(uint64_t bytes) {
      if (state_ == nullptr || !state_->Take(bytes)) {
        return false;
      }
      bytes_ += bytes;
      return true;
    }
    void GiveBack() {
      if (state_ != nullptr) {
        state_->used.fetch_sub(std::exchange(bytes_, 0), std::memory_order_relaxed);
      }
    }

   private:
    friend class UploadBudget;
    explicit Share(std::shared_ptr<State> state) : state_(std::move(state)) {}

    std::shared_ptr<State> state_;
    uint64_t bytes_ = 0;
  };

  Share Open() const { return Share(state_); }
  uint64_t most_bytes() const { return state_->most; }
  uint64_t used_bytes() const { return state_->used.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_UPLOAD_BUDGET_H_
