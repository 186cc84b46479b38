// Run by caissond as root at start; by the command line as whoever calls it.
#include "policy/image_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "policy/trusted_file.h"

namespace caisson::policy {
namespace {

constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr uint64_t kMostImageBytes = 16ULL << 30U;
constexpr size_t kBufferBytes = 1U << 20U;

struct Magic {
  ImageFormat format;
  off_t offset;
  std::string_view bytes;
};
// linux/magic.h has the numbers; both are little-endian on disk.
constexpr std::array<Magic, 2> kMagics = {
    {{ImageFormat::kSquashfs, 0, "hsqs"}, {ImageFormat::kErofs, 1024, "\xe2\xe1\xf5\xe0"}}};

absl::Status Refuse(const RootImage& image, const char* key, const std::string& reason) {
  return absl::InvalidArgumentError(image.written_at + "." + key + ": " + reason);
}

// Opens for writing are told to whoever holds a lease. It cannot be had while there is one already, such as
// that of a former owner, who could change the file after its digest was taken.
class ReadLease {
 public:
  // The signal of a broken lease is one that is ignored unless somebody asked for it; F_GETLEASE tells as
  // well.
  absl::Status Take(int fd) {
    fd_ = fd;
    if (fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
      return absl::OkStatus();
    }
    return ErrnoStatus(errno, "take a read lease");
  }
  bool Holds() const { return fcntl(fd_, F_GETLEASE) == F_RDLCK; }
  ~ReadLease() {
    if (fd_ >= 0) {
      fcntl(fd_, F_SETLEASE, F_UNLCK);
    }
  }
  ReadLease() = default;
  ReadLease(const ReadLease&) = delete;
  ReadLease& operator=(const ReadLease&) = delete;

 private:
  int fd_ = -1;
};

absl::StatusOr<UniqueFd> OpenChecked(const std::string& path, FileTrust trust) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  ASSIGN_OR_RETURN(const UniqueFd opened, OpenTrustedDirectory(directory, trust));
  return OpenTrustedFile(opened.get(), path.substr(slash + 1), path, trust);
}

std::optional<ImageFormat> FormatOf(int fd) {
  for (const Magic& magic : kMagics) {
    std::array<char, 4> bytes{};
    if (pread(fd, bytes.data(), bytes.size(), magic.offset) == ssize_t{4} &&
        std::string_view(bytes.data(), bytes.size()) == magic.bytes) {
      return magic.format;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ImageDigest> ParseDigest(const std::string& text) {
  ImageDigest digest{};
  if (!text.starts_with(kAlgorithm) || text.size() != kAlgorithm.size() + 2 * digest.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < digest.size(); ++i) {
    const size_t high = kHexDigits.find(text[kAlgorithm.size() + 2 * i]);
    const size_t low = kHexDigits.find(text[kAlgorithm.size() + 2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    digest.at(i) = static_cast<uint8_t>(high << 4U | low);
  }
  return digest;
}

std::string DigestText(const ImageDigest& digest) {
  std::string text(kAlgorithm);
  for (const uint8_t byte : digest) {
    text += kHexDigits[byte >> 4U];
    text += kHexDigits[byte & 0xfU];
  }
  return text;
}

std::string MountNameOf(const RootImage& image) { return image.digest.substr(kAlgorithm.size()); }

absl::StatusOr<ImageDigest> DigestOfFile(int fd) {
  // OpenSSL's calls for SHA-256 fail without memory only.
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  CAISSON_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  std::vector<char> buffer(kBufferBytes);
  for (off_t offset = 0;;) {
    const ssize_t got = pread(fd, buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return ErrnoStatus(errno, "read");
    }
    if (got == 0) {
      break;
    }
    CAISSON_CHECK(EVP_DigestUpdate(context.get(), buffer.data(), static_cast<size_t>(got)) == 1);
    offset += got;
  }
  ImageDigest digest{};
  unsigned int size = 0;
  CAISSON_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), &size) == 1 && size == digest.size());
  return digest;
}

absl::StatusOr<OpenedImage> OpenImage(const RootImage& image, FileTrust trust) {
  absl::StatusOr<UniqueFd> file = OpenChecked(image.path, trust);
  if (!file.ok()) {
    return Refuse(image, "image", Message(file.status()));
  }
  OpenedImage opened;
  opened.file = *std::move(file);
  const int fd = opened.file.get();
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    return Refuse(image, "image", Message(ErrnoStatus(errno, "stat " + image.path)));
  }
  opened.bytes = static_cast<uint64_t>(info.st_size);
  if (opened.bytes > kMostImageBytes) {
    return Refuse(image, "image",
                  image.path + " is larger than " + std::to_string(kMostImageBytes) + " bytes");
  }
  ReadLease lease;
  if (trust == FileTrust::kRequireRootOwned) {
    if (const absl::Status status = lease.Take(fd); !status.ok()) {
      return Refuse(image, "image",
                    image.path + ": " + Message(status) +
                        "; nobody may have it open for writing, and its file system must know leases: copy "
                        "it to a local one");
    }
  }
  const absl::StatusOr<ImageDigest> digest = DigestOfFile(fd);
  if (!digest.ok()) {
    return Refuse(image, "image", image.path + ": " + Message(digest.status()));
  }
  if (DigestText(*digest) != image.digest) {
    return Refuse(image, "digest",
                  image.path + " is " + DigestText(*digest) + ", the profile says " + image.digest);
  }
  if (trust == FileTrust::kRequireRootOwned && !lease.Holds()) {
    return Refuse(image, "image", image.path + " was opened for writing while its digest was taken");
  }
  const std::optional<ImageFormat> format = FormatOf(fd);
  if (!format) {
    return Refuse(image, "image", image.path + " is neither squashfs nor erofs");
  }
  opened.format = *format;
  return opened;
}

}  // namespace caisson::policy
