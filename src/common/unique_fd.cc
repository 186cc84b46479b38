#include "common/unique_fd.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace caisson {

void UniqueFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old < 0) {
    return;
  }
  const int saved_errno = errno;
  if (close(old) != 0 && errno == EBADF) {
    abort();  // Somebody else closed it: the next close would hit a stranger's descriptor.
  }
  errno = saved_errno;
}

}  // namespace caisson
