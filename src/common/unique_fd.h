// UniqueFd: the one owner of a file descriptor. Every descriptor in Caisson is close-on-exec from birth.
#ifndef CAISSON_COMMON_UNIQUE_FD_H_
#define CAISSON_COMMON_UNIQUE_FD_H_

#include <utility>

namespace caisson {

// Owns one descriptor, or none (-1). Moves are noexcept; closing preserves errno, is never retried
// (close(2): on Linux the descriptor is gone even after EINTR), and aborts on EBADF, which is always a bug.
class [[nodiscard]] UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset(std::exchange(other.fd_, -1));
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

}  // namespace caisson

#endif  // CAISSON_COMMON_UNIQUE_FD_H_
