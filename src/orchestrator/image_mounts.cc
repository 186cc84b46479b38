// Run by caissond as root at start. Input: files that profiles of root's name, checked before they are
// mounted.
#include "orchestrator/image_mounts.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <utility>

#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"
#include "orchestrator/image_tree.h"
#include "orchestrator/instance_lock.h"
#include "orchestrator/loop_device.h"

namespace caisson::orchestrator {
namespace {

constexpr unsigned long kMountFlags = MS_RDONLY | MS_NOSUID | MS_NODEV;

// A path that leads to the open file itself, whatever has become of its name. It is also what the sandboxes
// read as the mount's source, so it must say nothing about the host.
std::string PathTo(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

absl::Status MountFrom(int source, const std::string& target, const char* type) {
  if (mount(PathTo(source).c_str(), target.c_str(), type, kMountFlags, nullptr) != 0) {
    return ErrnoStatus(errno, std::string("mount it as ") + type);
  }
  return absl::OkStatus();
}

absl::Status MountFile(const policy::OpenedImage& image, const std::string& target) {
  if (image.format == policy::ImageFormat::kErofs) {
    // From Linux 6.12 on a file will do; older kernels say ENOTBLK.
    if (MountFrom(image.file.get(), target, "erofs").ok()) {
      return absl::OkStatus();
    }
  }
  ASSIGN_OR_RETURN(const UniqueFd device, AttachLoopDevice(image.file.get()));
  return MountFrom(device.get(), target, image.format == policy::ImageFormat::kErofs ? "erofs" : "squashfs");
}

// The mount itself is asked, not what was asked for: what it is used for depends on each of these.
absl::StatusOr<MountedImage> OpenMounted(const std::string& target, const std::string& parent) {
  MountedImage mounted;
  ASSIGN_OR_RETURN(mounted.root, OpenFile(target, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  struct stat info {};
  struct stat above {};
  struct statvfs flags {};
  if (fstat(mounted.root.get(), &info) != 0 || stat(parent.c_str(), &above) != 0 ||
      fstatvfs(mounted.root.get(), &flags) != 0) {
    return ErrnoStatus(errno, "stat " + target);
  }
  constexpr unsigned long kFlags = ST_RDONLY | ST_NOSUID | ST_NODEV;
  if (info.st_dev == above.st_dev || (flags.f_flag & kFlags) != kFlags) {
    return absl::FailedPreconditionError("it is not mounted read-only, nosuid and nodev");
  }
  if ((info.st_mode & (S_IROTH | S_IXOTH)) != (S_IROTH | S_IXOTH)) {
    return absl::FailedPreconditionError("the directory at its top is closed to others than root");
  }
  mounted.device = info.st_dev;
  return mounted;
}

absl::StatusOr<MountedImage> Copy(const MountedImage& image) {
  MountedImage copy;
  copy.root = UniqueFd(fcntl(image.root.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.root.valid()) {
    return ErrnoStatus(errno, "duplicate a descriptor");
  }
  copy.device = image.device;
  copy.digest = image.digest;
  return copy;
}

}  // namespace

absl::StatusOr<ImageMounts> ImageMounts::Create(const std::string& directory) {
  RETURN_IF_ERROR(EnsureRootsDirectory(directory));
  // The dispatcher gets a descriptor of it and looks names up in it; its parent stays closed to everybody.
  constexpr mode_t kPassable = 0711;
  if (chmod(directory.c_str(), kPassable) != 0) {
    return ErrnoStatus(errno, "chmod " + directory);
  }
  return ImageMounts(directory);
}

absl::StatusOr<MountedImage> ImageMounts::Mount(const policy::RootImage& image) {
  const std::string checked = image.path + " " + image.digest;
  const auto found = mounted_.find(image.digest);
  if (found == mounted_.end()) {
    ASSIGN_OR_RETURN(MountedImage mounted, MountNew(image));
    verified_.insert(checked);
    return Copy(mounted_.emplace(image.digest, std::move(mounted)).first->second);
  }
  if (!verified_.contains(checked)) {
    RETURN_IF_ERROR(policy::OpenImage(image, policy::FileTrust::kRequireRootOwned).status());
    verified_.insert(checked);
  }
  return Copy(found->second);
}

absl::StatusOr<MountedImage> ImageMounts::MountNew(const policy::RootImage& image) {
  const int64_t begin = MonotonicNanos();
  ASSIGN_OR_RETURN(const policy::OpenedImage opened,
                   policy::OpenImage(image, policy::FileTrust::kRequireRootOwned));
  const auto refuse = [&](const absl::Status& status) {
    return absl::FailedPreconditionError(image.written_at + ".image: " + image.path + ": " + Message(status));
  };
  const std::string target = directory_ + "/" + policy::MountNameOf(image);
  if (const absl::Status made = EnsureRootsDirectory(target); !made.ok()) {
    return refuse(made);
  }
  if (const absl::Status status = MountFile(opened, target); !status.ok()) {
    return refuse(status);
  }
  absl::StatusOr<MountedImage> mounted = OpenMounted(target, directory_);
  if (!mounted.ok()) {
    return refuse(mounted.status());
  }
  mounted->digest = policy::ParseDigest(image.digest).value();
  const absl::StatusOr<ImageTree> tree = ReadImageTree(mounted->root.get());
  if (!tree.ok()) {
    return refuse(tree.status());
  }
  spdlog::info("image {}: {}, {} files, {} MiB read, {} ms", image.path, image.digest, tree->files,
               tree->bytes_read >> 20U, (MonotonicNanos() - begin) / kNanosPerMilli);
  return mounted;
}

}  // namespace caisson::orchestrator
