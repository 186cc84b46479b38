// Run by caissond as root at start.
#include "orchestrator/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string>

#include "common/files.h"
#include "common/status.h"

namespace caisson::orchestrator {

absl::StatusOr<UniqueFd> AttachLoopDevice(int file) {
  constexpr int kAttempts = 64;  // others may take the free one first, each time
  absl::StatusOr<UniqueFd> control = OpenFile("/dev/loop-control", O_RDWR);
  if (!control.ok()) {
    return Prefix(control.status(), "attach a loop device (modprobe loop may help)");
  }
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int number = ioctl(control->get(), LOOP_CTL_GET_FREE);
    if (number < 0) {
      return ErrnoStatus(errno, "find a free loop device");
    }
    ASSIGN_OR_RETURN(UniqueFd device, OpenFile("/dev/loop" + std::to_string(number), O_RDONLY));
    loop_config config{};
    config.fd = static_cast<uint32_t>(file);
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) {
      return device;
    }
    if (errno != EBUSY) {
      return ErrnoStatus(errno, "configure /dev/loop" + std::to_string(number));
    }
  }
  return absl::UnavailableError("attach a loop device: others took each free one");
}

}  // namespace caisson::orchestrator
