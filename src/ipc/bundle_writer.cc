#include "ipc/bundle_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "common/status.h"
#include "ipc/bundle_path.h"

namespace caisson::ipc {
namespace {

constexpr unsigned int kMfdNoexecSeal = 0x0008U;  // KERNEL(6.3): Debian 12's headers lack it.
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
constexpr size_t kAlignment = 8;
constexpr size_t kBufferBytes = 64UL * 1024;
constexpr size_t kCopyBytes = 4UL * 1024;  // larger content is cheaper to hand to the kernel than to copy

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

template <class T>
std::span<const std::byte> ObjectBytes(const T& object) {
  return std::as_bytes(std::span<const T, 1>(&object, 1));
}

uint64_t Padding(uint64_t bytes) { return (kAlignment - bytes % kAlignment) % kAlignment; }

bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// Skips what the kernel took; a memfd takes less than everything only when interrupted.
void Advance(std::array<iovec, 2>& parts, size_t taken) {
  for (iovec& part : parts) {
    const size_t here = std::min(taken, part.iov_len);
    part.iov_base = static_cast<std::byte*>(part.iov_base) + here;
    part.iov_len -= here;
    taken -= here;
  }
}

}  // namespace

absl::StatusOr<BundleWriter> BundleWriter::Create() {
  constexpr unsigned int kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd memfd(memfd_create("caisson-bundle", kFlags | kMfdNoexecSeal));
  if (!memfd.valid() && errno == EINVAL) {
    memfd.reset(memfd_create("caisson-bundle", kFlags));
  }
  if (!memfd.valid()) {
    return ErrnoStatus(errno, "memfd_create caisson-bundle");
  }
  BundleWriter writer(std::move(memfd));
  writer.buffer_.reserve(kBufferBytes);
  const wire::BundleHeader header{};  // The count is known at the end only.
  writer.Buffer(ObjectBytes(header));
  return writer;
}

absl::Status BundleWriter::AddMainFile(std::string_view path) {
  RETURN_IF_ERROR(failure_);
  RETURN_IF_ERROR(Remember(CheckBundlePath(path)));
  if (++main_files_ > 1) {
    return Remember(absl::InvalidArgumentError("a second main file"));
  }
  return Remember(Add(wire::BundleRecord::kMainFile, 0, path, {}, {}));
}

absl::Status BundleWriter::AddArgument(std::string_view argument) {
  RETURN_IF_ERROR(failure_);
  if (HasNul(argument)) {
    return Remember(absl::InvalidArgumentError("an argument contains a NUL byte"));
  }
  if (++arguments_ > wire::kMaxArgs) {
    return Remember(
        absl::ResourceExhaustedError("more than " + std::to_string(wire::kMaxArgs) + " arguments"));
  }
  return Remember(Add(wire::BundleRecord::kArgument, 0, argument, {}, {}));
}

absl::Status BundleWriter::AddEnvironment(std::string_view name, std::string_view value) {
  RETURN_IF_ERROR(failure_);
  if (name.empty() || HasNul(name) || HasNul(value) || name.find('=') != std::string_view::npos) {
    return Remember(
        absl::InvalidArgumentError("an environment variable's name is empty or has '=', or a NUL byte"));
  }
  if (++variables_ > wire::kMaxEnv) {
    return Remember(absl::ResourceExhaustedError("more than " + std::to_string(wire::kMaxEnv) +
                                                 " environment variables"));
  }
  return Remember(Add(wire::BundleRecord::kEnvironment, 0, std::string(name) + "=", value, {}));
}

absl::Status BundleWriter::AddFile(std::string_view path, std::string_view content, FileMode mode) {
  RETURN_IF_ERROR(failure_);
  RETURN_IF_ERROR(Remember(CheckBundlePath(path)));
  const uint64_t offset = total_bytes_ + sizeof(wire::BundleRecordHeader) + path.size() + 1;
  RETURN_IF_ERROR(Remember(Add(wire::BundleRecord::kFile, static_cast<uint32_t>(mode), path, {}, content)));
  files_.push_back({std::string(path), offset, content.size(), mode});
  return absl::OkStatus();
}

absl::Status BundleWriter::BeginFile(std::string_view path) {
  RETURN_IF_ERROR(failure_);
  RETURN_IF_ERROR(Remember(CheckBundlePath(path)));
  RETURN_IF_ERROR(Remember(CheckRoom(path.size(), 0)));
  CAISSON_CHECK(!in_file_);
  in_file_ = true;
  file_header_offset_ = total_bytes_;
  // Size and mode are known at the end only.
  const wire::BundleRecordHeader header{wire::BundleRecord::kFile, 0, static_cast<uint32_t>(path.size()), 0,
                                        0};
  constexpr std::array<std::byte, 1> kNul{};
  Buffer(ObjectBytes(header));
  Buffer(Bytes(path));
  Buffer(kNul);
  total_bytes_ += sizeof header + path.size() + 1;
  file_ = {std::string(path), total_bytes_, 0, FileMode::kRegular};
  return absl::OkStatus();
}

absl::Status BundleWriter::AppendToFile(std::string_view content) {
  RETURN_IF_ERROR(failure_);
  CAISSON_CHECK(in_file_);
  RETURN_IF_ERROR(Remember(CheckRoom(0, content.size())));
  if (content.size() <= kCopyBytes) {
    Buffer(Bytes(content));
    RETURN_IF_ERROR(Remember(buffer_.size() >= kBufferBytes ? Flush({}) : absl::OkStatus()));
  } else {
    RETURN_IF_ERROR(Remember(Flush(content)));
  }
  file_.bytes += content.size();
  total_bytes_ += content.size();
  return absl::OkStatus();
}

absl::Status BundleWriter::EndFile(FileMode mode) {
  RETURN_IF_ERROR(failure_);
  CAISSON_CHECK(in_file_);
  in_file_ = false;
  constexpr std::array<std::byte, kAlignment> kZeros{};
  const uint64_t padding = Padding(total_bytes_);
  Buffer(std::span(kZeros).first(padding));
  total_bytes_ += padding;
  ++records_;
  RETURN_IF_ERROR(Remember(Flush({})));
  file_.mode = mode;
  const wire::BundleRecordHeader header{wire::BundleRecord::kFile, static_cast<uint32_t>(mode),
                                        static_cast<uint32_t>(file_.path.size()), 0, file_.bytes};
  RETURN_IF_ERROR(Remember(WriteAt(file_header_offset_, ObjectBytes(header))));
  files_.push_back(std::move(file_));
  return absl::OkStatus();
}

absl::Status BundleWriter::AddSource(std::string_view path) {
  RETURN_IF_ERROR(failure_);
  RETURN_IF_ERROR(Remember(CheckBundlePath(path)));
  return Remember(Add(wire::BundleRecord::kSource, 0, path, {}, {}));
}

absl::Status BundleWriter::AddOutputPath(std::string_view path) {
  RETURN_IF_ERROR(failure_);
  if (path != ".") {
    RETURN_IF_ERROR(Remember(CheckBundlePath(path)));
  }
  if (++output_paths_ > wire::kMaxOutputPaths) {
    return Remember(
        absl::ResourceExhaustedError("more than " + std::to_string(wire::kMaxOutputPaths) + " output paths"));
  }
  return Remember(Add(wire::BundleRecord::kOutputPath, 0, path, {}, {}));
}

absl::StatusOr<UniqueFd> BundleWriter::Seal() {
  RETURN_IF_ERROR(failure_);
  RETURN_IF_ERROR(Remember(Flush({})));
  CAISSON_CHECK(!in_file_);
  const wire::BundleHeader header{wire::kBundleMagic, wire::kBundleVersion, records_, 0};
  RETURN_IF_ERROR(Remember(WriteAt(0, ObjectBytes(header))));
  if (fcntl(memfd_.get(), F_ADD_SEALS, kSeals) != 0) {
    return Remember(ErrnoStatus(errno, "seal bundle"));
  }
  failure_ = absl::FailedPreconditionError("the bundle is sealed already");
  return std::move(memfd_);
}

absl::Status BundleWriter::WriteAt(uint64_t offset, std::span<const std::byte> bytes) {
  // A memfd takes so few bytes at once or not at all.
  return pwrite(memfd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
                 static_cast<ssize_t>(bytes.size())
             ? absl::OkStatus()
             : ErrnoStatus(errno, "write bundle header");
}

absl::Status BundleWriter::Remember(absl::Status status) {
  failure_ = status;
  return status;
}

absl::Status BundleWriter::CheckRoom(uint64_t name_bytes, uint64_t data_bytes) const {
  if (records_ >= wire::kMaxBundleRecords) {
    return absl::ResourceExhaustedError("more than " + std::to_string(wire::kMaxBundleRecords) + " records");
  }
  // Each is checked alone first, so that the sum cannot overflow.
  const uint64_t overhead = sizeof(wire::BundleRecordHeader) + 1 + kAlignment;
  if (name_bytes > wire::kMaxBundleBytes || data_bytes > wire::kMaxBundleBytes ||
      total_bytes_ + overhead + name_bytes + data_bytes > wire::kMaxBundleBytes) {
    return absl::ResourceExhaustedError("the bundle is larger than " + std::to_string(wire::kMaxBundleBytes) +
                                        " bytes");
  }
  return absl::OkStatus();
}

absl::Status BundleWriter::Add(wire::BundleRecord type, uint32_t mode, std::string_view name_first,
                               std::string_view name_rest, std::string_view data) {
  CAISSON_CHECK(!in_file_);
  const uint64_t name_bytes = name_first.size() + name_rest.size();
  RETURN_IF_ERROR(CheckRoom(name_bytes, data.size()));
  const wire::BundleRecordHeader header{type, mode, static_cast<uint32_t>(name_bytes), 0, data.size()};
  constexpr std::array<std::byte, kAlignment> kZeros{};
  Buffer(ObjectBytes(header));
  Buffer(Bytes(name_first));
  Buffer(Bytes(name_rest));
  Buffer(std::span(kZeros).first(1));
  const uint64_t padding = Padding(name_bytes + 1 + data.size());
  if (data.size() <= kCopyBytes) {
    Buffer(Bytes(data));
  } else {
    RETURN_IF_ERROR(Flush(data));
  }
  Buffer(std::span(kZeros).first(padding));
  total_bytes_ += sizeof header + name_bytes + 1 + data.size() + padding;
  ++records_;
  return buffer_.size() >= kBufferBytes ? Flush({}) : absl::OkStatus();
}

void BundleWriter::Buffer(std::span<const std::byte> bytes) {
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

absl::Status BundleWriter::Flush(std::string_view content) {
  // SAFETY: writev(2) only reads through iov_base.
  std::array<iovec, 2> parts{
      {{buffer_.data(), buffer_.size()}, {const_cast<char*>(content.data()), content.size()}}};  // NOLINT
  while (parts[0].iov_len + parts[1].iov_len != 0) {
    const ssize_t written = writev(memfd_.get(), parts.data(), static_cast<int>(parts.size()));
    if (written < 0 && errno != EINTR) {
      return ErrnoStatus(errno, "write bundle");
    }
    if (written == 0) {
      return absl::DataLossError("write bundle: the memfd takes no more bytes");
    }
    Advance(parts, written < 0 ? 0 : static_cast<size_t>(written));
  }
  buffer_.clear();
  return absl::OkStatus();
}

}  // namespace caisson::ipc
