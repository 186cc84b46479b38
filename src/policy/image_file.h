// An image: the file that a profile's root is instead of the host's. Opened once; owner, mode and digest are
// checked on that descriptor, and whoever mounts it uses the same one, so nothing can be exchanged between.
#ifndef CAISSON_POLICY_IMAGE_FILE_H_
#define CAISSON_POLICY_IMAGE_FILE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "policy/profile.h"
#include "policy/profile_loader.h"

namespace caisson::policy {

enum class ImageFormat : uint8_t { kSquashfs, kErofs };

using ImageDigest = std::array<uint8_t, 32>;  // SHA-256

struct OpenedImage {
  UniqueFd file;  // read-only
  ImageFormat format = ImageFormat::kSquashfs;
  uint64_t bytes = 0;
};

// "sha256:" and 64 lower-case hexadecimal digits; nullopt for anything else.
std::optional<ImageDigest> ParseDigest(const std::string& text);
std::string DigestText(const ImageDigest& digest);

// The name of the directory, among those of all images, where caissond mounts it.
std::string MountNameOf(const RootImage& image);

// Reads all of a regular file, from its begin, whatever the descriptor's offset is.
absl::StatusOr<ImageDigest> DigestOfFile(int fd);

// Opens the image and checks it. With kRequireRootOwned neither the file nor its directory may be writable by
// others than root or be a symbolic link, and nobody may have the file open for writing, not even since
// before it became root's. Then the digest must be the profile's, and the content squashfs or erofs.
// kInvalidArgument "FILE:LINE: KEY: reason" with the profile's file, whatever is wrong.
absl::StatusOr<OpenedImage> OpenImage(const RootImage& image, FileTrust trust);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_IMAGE_FILE_H_
