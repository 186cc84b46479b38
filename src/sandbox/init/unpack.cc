// Runs in the locked stub, as the payload. Input: the client's bundle, hostile.
#include "sandbox/init/unpack.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

namespace caisson::init {
namespace {

// Makes the directories of `path`; those that are there already are fine.
void MakeParents(const BundleItem& item, Progress& progress) {
  char directory[wire::kMaxPathBytes + 1];
  for (uint32_t i = 0; i < item.name_bytes; ++i) {
    if (item.name[i] == '/') {
      directory[i] = '\0';
      const long result = Syscall(__NR_mkdirat, AT_FDCWD, Address(directory), 0755);
      if (result != -EEXIST) {
        progress.Must(result);
      }
    }
    directory[i] = item.name[i];
  }
}

void WriteFile(const BundleItem& item, Progress& progress) {
  const long fd = progress.Must(Syscall(__NR_openat, AT_FDCWD, Address(item.name),
                                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  uint64_t done = 0;
  while (done < item.data_bytes) {
    done += static_cast<uint64_t>(
        progress.Must(Write(static_cast<int>(fd), item.data + done, item.data_bytes - done)));
  }
  progress.Must(Syscall(__NR_fchmod, fd, item.mode & 0755U));
  Close(static_cast<int>(fd));
}

}  // namespace

void UnpackFiles(BundleReader& bundle, Progress& progress) {
  progress.Enter(sandbox::SetupStage::kStubFiles);
  BundleItem item{};
  bundle.Rewind();
  while (bundle.Next(item)) {
    if (item.type != wire::BundleRecord::kFile) {
      continue;
    }
    if (!IsSafeRelativePath(item.name, item.name_bytes)) {
      progress.Fail(-EINVAL);
    }
    MakeParents(item, progress);
    WriteFile(item, progress);
    progress.NextIndex();
  }
  if (!bundle.valid()) {
    progress.Fail(-EBADMSG);
  }
}

}  // namespace caisson::init
