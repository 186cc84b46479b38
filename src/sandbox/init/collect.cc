// Runs in caisson-init, locked, with CAP_DAC_READ_SEARCH in the run's user namespace: modes do not stop it,
// and Landlock lets it read below /box only. Every other process of the sandbox is dead, so nothing changes
// any more.
//
// Untrusted input: the tree below /box, every name, link, size and mode of it, and the bundle. The rules:
// each name is opened relative to its directory, no link is ever followed, nothing but a regular file with
// one name is read, never more than the size it had when it was announced, and all counts, depths and sums
// have bounds.
#include "sandbox/init/collect.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "sandbox/init/syscall.h"
#include "sandbox/init/text.h"

namespace caisson::init {
namespace {

using wire::OutputRefusal;

constexpr uint64_t kStatBlockBytes = 512;
constexpr uint32_t kAnyExecuteBit = 0111;
// S_IFMT and its values (inode(7)); the kernel's header hides them where there is a libc, as in the unit
// tests.
constexpr uint32_t kTypeMask = 0170000;
constexpr uint32_t kRegular = 0100000;
constexpr uint32_t kDirectory = 0040000;
constexpr uint32_t kSymbolicLink = 0120000;

OutputRefusal ReasonOf(long error) {
  switch (error) {
    case -ENOENT:
    case -ENOTDIR:
      return OutputRefusal::kNotFound;
    case -ELOOP:
      return OutputRefusal::kLink;
    case -ENAMETOOLONG:
      return OutputRefusal::kNameTooLong;
    default:
      return OutputRefusal::kReadFailed;
  }
}

}  // namespace

// O_NONBLOCK and O_NOCTTY: were it a FIFO or a terminal after all, nothing would wait and nothing be taken
// over.
long Collector::Open(int directory, const char* name, uint64_t flags) {
  open_how how{};
  how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return Syscall(__NR_openat2, directory, Address(name), Address(&how), sizeof how);
}

Collector::Found Collector::Inspect(int fd) {
  struct statx info {};
  constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO | STATX_SIZE | STATX_BLOCKS;
  const long result = Syscall(__NR_statx, fd, Address(""), AT_EMPTY_PATH, kWanted, Address(&info));
  if (IsError(result)) {
    return {static_cast<int32_t>(result), 0, 0, 0, 0, 0};
  }
  return {0, info.stx_mode, info.stx_nlink, info.stx_ino, info.stx_size, info.stx_blocks * kStatBlockBytes};
}

void Collector::Run() {
  for (uint32_t i = 0; i < asked_.count() && !stream_.is_broken(); ++i) {
    AskedPaths::Path& path = asked_.at(i);
    if (path.is_met) {
      continue;  // It lies below another one, or is it.
    }
    path.is_met = true;
    path_bytes_ = path.bytes < wire::kMaxPathBytes ? path.bytes : wire::kMaxPathBytes;
    __builtin_memcpy(memory_.path, path.text, path_bytes_);
    memory_.path[path_bytes_] = '\0';
    if (!path.is_safe) {
      Refuse(OutputRefusal::kReadFailed, -EINVAL);
      continue;
    }
    Visit(box_, path_bytes_ == 0 ? "." : path.text, 0);
    Walk();
  }
  stream_.Done();
}

void Collector::Walk() {
  while (level_count_ > 0) {
    OutputLevel& level = memory_.levels[level_count_ - 1];
    if (level.next == level.list.count || stream_.is_broken()) {
      Close(level.fd);
      memory_.listings.Close(level.list);
      --level_count_;
      continue;
    }
    const char* name = memory_.listings.Name(level.list, level.next++);
    SetPath(level.path_bytes, name);
    if (path_bytes_ > wire::kMaxPathBytes) {
      Refuse(OutputRefusal::kNameTooLong);
      continue;
    }
    const bool is_asked = asked_.count() > 1 && asked_.Meet(memory_.path, path_bytes_);
    Visit(level.fd, name, is_asked ? 0 : level.depth + 1);
  }
}

// `depth`: what it has if it is a directory.
void Collector::Visit(int directory, const char* name, uint32_t depth) {
  const long fd = Open(directory, name, O_PATH);
  if (IsError(fd)) {
    return Refuse(ReasonOf(fd), fd);
  }
  const Found found = Inspect(static_cast<int>(fd));
  Close(static_cast<int>(fd));
  if (found.error != 0) {
    return Refuse(OutputRefusal::kReadFailed, found.error);
  }
  switch (found.mode & kTypeMask) {
    case kRegular:
      return VisitFile(directory, name, found);
    case kDirectory:
      return Enter(directory, name, depth);
    case kSymbolicLink:
      return Refuse(OutputRefusal::kLink);
    default:
      return Refuse(OutputRefusal::kNotAFile);
  }
}

void Collector::VisitFile(int directory, const char* name, const Found& found) {
  if (found.links != 1) {
    return Refuse(OutputRefusal::kHardLink);
  }
  if (found.size > found.allocated && found.size - found.allocated > wire::kMaxOutputHoleBytes) {
    return Refuse(OutputRefusal::kSparse);
  }
  if (found.size > stream_.room_bytes()) {
    return Refuse(OutputRefusal::kTooLarge);
  }
  if (stream_.files() == wire::kMaxOutputFiles) {
    return Refuse(OutputRefusal::kTooMany);
  }
  const long fd = Open(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (IsError(fd)) {
    return Refuse(OutputRefusal::kReadFailed, fd);
  }
  // Nobody is left who could have exchanged it; this is what the rule would be worth if somebody were.
  const Found opened = Inspect(static_cast<int>(fd));
  if (opened.error != 0 || opened.inode != found.inode || opened.mode != found.mode || opened.links != 1 ||
      opened.size != found.size) {
    Refuse(OutputRefusal::kReadFailed, -ESTALE);
  } else {
    SendFile(static_cast<int>(fd), opened);
  }
  Close(static_cast<int>(fd));
}

void Collector::SendFile(int fd, const Found& found) {
  stream_.BeginFile(memory_.path, path_bytes_, found.size, (found.mode & kAnyExecuteBit) != 0);
  uint64_t left = found.size;
  long got = 1;
  while (left > 0 && got > 0 && !stream_.is_broken()) {
    got = Read(fd, stream_.room(), left < wire::kMaxOutputChunkBytes ? left : wire::kMaxOutputChunkBytes);
    if (got > 0) {
      stream_.SendContent(static_cast<uint32_t>(got));
      left -= static_cast<uint64_t>(got);
    }
  }
  stream_.EndFile(left == 0, got < 0 ? static_cast<int>(-got) : 0);
}

void Collector::Enter(int directory, const char* name, uint32_t depth) {
  if (depth > wire::kMaxOutputDepth || level_count_ == kMaxOutputLevels) {
    return Refuse(OutputRefusal::kTooDeep);
  }
  if (entries_ == kMaxOutputEntries) {
    return Refuse(OutputRefusal::kTooMany);
  }
  const long fd = Open(directory, name, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY);
  if (IsError(fd)) {
    return Refuse(OutputRefusal::kReadFailed, fd);
  }
  OutputLevel& level = memory_.levels[level_count_++];
  level = {static_cast<int>(fd), depth, path_bytes_, 0, memory_.listings.Open()};
  List(level);
}

void Collector::List(OutputLevel& level) {
  long got = 1;
  bool has_room = true;
  while (has_room && got > 0) {
    got = Syscall(__NR_getdents64, level.fd, Address(stream_.room()), wire::kMaxOutputChunkBytes);
    has_room = got <= 0 || memory_.listings.Add(level.list, stream_.room(), static_cast<uint64_t>(got));
  }
  if (got < 0) {
    Refuse(OutputRefusal::kReadFailed, got);
  }
  memory_.listings.Sort(level.list);
  if (level.list.count > kMaxOutputEntries - entries_) {
    level.list.count = kMaxOutputEntries - entries_;
    has_room = false;
  }
  entries_ += level.list.count;
  if (!has_room) {
    Refuse(OutputRefusal::kTooMany);  // The directory: it has more names than are looked at.
  }
}

// memory_.path becomes directory/name, at most one name longer than a path may be.
void Collector::SetPath(uint32_t directory_bytes, const char* name) {
  path_bytes_ = directory_bytes;
  if (directory_bytes != 0) {
    memory_.path[path_bytes_++] = '/';
  }
  const auto name_bytes = static_cast<uint32_t>(Length(name));
  const uint32_t bytes = name_bytes < kMaxFileNameBytes ? name_bytes : kMaxFileNameBytes;
  __builtin_memcpy(memory_.path + path_bytes_, name, bytes);
  path_bytes_ += bytes;
  memory_.path[path_bytes_] = '\0';
}

void Collector::Refuse(OutputRefusal reason, long result) {
  const bool tells = reason == OutputRefusal::kReadFailed;
  const char* path = path_bytes_ == 0 ? "." : memory_.path;
  stream_.Refuse(path, path_bytes_ == 0 ? 1 : path_bytes_, reason, tells ? static_cast<int>(-result) : 0);
}

void CollectOutputs(int bundle, int pipe) {
  static_assert(__is_trivially_constructible(CollectMemory),
                "no code at its first use, no page until it is touched");
  static CollectMemory memory;
  const Collector::Found file = Collector::Inspect(bundle);
  const long bytes = Syscall(__NR_mmap, 0, static_cast<long>(file.size), PROT_READ, MAP_PRIVATE, bundle, 0);
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long box = Syscall(__NR_openat2, AT_FDCWD, Address("/box"), Address(&how), sizeof how);
  if (file.error != 0 || IsError(bytes) || IsError(box)) {
    return;
  }
  // SAFETY: the kernel gives addresses as integers.
  const BundleReader reader(reinterpret_cast<const unsigned char*>(bytes), file.size);
  Collector(memory, static_cast<int>(box), reader, pipe).Run();
}

}  // namespace caisson::init
