// An image is trusted for what was checked on the descriptor that is mounted later, and for nothing else.
#include "policy/image_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "policy_support.h"

namespace caisson::policy {
namespace {

constexpr char kWrittenAt[] = "p.json:3: root";

std::string Squashfs() { return "hsqs" + std::string(2000, 'x'); }

RootImage Image(const std::string& path, const std::string& content) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const absl::StatusOr<ImageDigest> digest = DigestOfFile(file.get());
  EXPECT_TRUE(digest.ok()) << path << content.size();
  return {path, digest.ok() ? DigestText(*digest) : "", kWrittenAt};
}

// Why it is refused, without the temporary directory's name; "" if it is not.
std::string Refusal(const RootImage& image, const TemporaryDirectory& directory, FileTrust trust) {
  const absl::StatusOr<OpenedImage> opened = OpenImage(image, trust);
  if (opened.ok()) {
    return {};
  }
  EXPECT_TRUE(absl::IsInvalidArgument(opened.status()));
  std::string message = Message(opened.status());
  for (size_t at = message.find(directory.path()); at != std::string::npos;
       at = message.find(directory.path())) {
    message.replace(at, directory.path().size(), "DIR");
  }
  return message;
}

class ImageFileTest : public testing::Test {
 protected:
  void SetUp() override { EXPECT_EQ(chmod(directory_.path().c_str(), 0755), 0); }
  RootImage Written(const std::string& content, mode_t mode = 0644) const {
    return Image(directory_.Write("i", content, mode), content);
  }
  std::string RefusedByRoot(const RootImage& image) const {
    return Refusal(image, directory_, FileTrust::kRequireRootOwned);
  }
  TemporaryDirectory directory_;
};

TEST(DigestTest, IsThatOfSha256sum) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("abc", "abc");
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(DigestText(DigestOfFile(fd.get()).value()),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(lseek(fd.get(), 2, SEEK_SET), 2);
  EXPECT_EQ(DigestText(DigestOfFile(fd.get()).value()).substr(0, 11), "sha256:ba78")
      << "from the begin anyway";
}

TEST(DigestTest, TextAndBytesAreTheSame) {
  const std::string text = "sha256:0123456789abcdef" + std::string(48, 'f');
  const std::optional<ImageDigest> digest = ParseDigest(text);
  ASSERT_TRUE(digest.has_value());
  EXPECT_EQ(DigestText(*digest), text);
  EXPECT_EQ(MountNameOf({"/i", text, ""}), text.substr(7));
}

TEST_F(ImageFileTest, WhatTheProfileSaysIsOpened) {
  const RootImage image = Written(Squashfs());
  const absl::StatusOr<OpenedImage> opened = OpenImage(image, FileTrust::kAnyOwner);
  ASSERT_TRUE(opened.ok()) << Message(opened.status());
  EXPECT_EQ(opened->format, ImageFormat::kSquashfs);
  EXPECT_EQ(opened->bytes, 2004U);
  EXPECT_EQ(fcntl(opened->file.get(), F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(fcntl(opened->file.get(), F_GETLEASE), F_UNLCK) << "held while it is checked only";
  const RootImage erofs = Written(std::string(1024, '\0') + "\xe2\xe1\xf5\xe0" + std::string(100, 'x'));
  EXPECT_EQ(OpenImage(erofs, FileTrust::kAnyOwner).value().format, ImageFormat::kErofs);
}

TEST_F(ImageFileTest, OneChangedByteIsAnotherDigest) {
  const RootImage image = Written(Squashfs());
  std::string changed = Squashfs();
  changed.back() = 'y';
  const RootImage other = Written(changed);
  EXPECT_EQ(Refusal(image, directory_, FileTrust::kAnyOwner),
            "p.json:3: root.digest: DIR/i is " + other.digest + ", the profile says " + image.digest);
}

TEST_F(ImageFileTest, OtherContentIsNoImage) {
  for (const std::string& content :
       {std::string(), std::string("hsq"), std::string(4096, 'x'), "sqsh" + std::string(99, 'x')}) {
    EXPECT_EQ(Refusal(Written(content), directory_, FileTrust::kAnyOwner),
              "p.json:3: root.image: DIR/i is neither squashfs nor erofs");
  }
}

TEST_F(ImageFileTest, WhatIsMissingALinkOrADirectoryIsRefused) {
  RootImage image = Written(Squashfs());
  std::filesystem::create_symlink("i", directory_.path() + "/link");
  std::filesystem::create_directory_symlink(".", directory_.path() + "/here");
  const auto refused = [&](const std::string& path) {
    image.path = directory_.path() + "/" + path;
    return Refusal(image, directory_, FileTrust::kAnyOwner);
  };
  EXPECT_EQ(refused("absent"), "p.json:3: root.image: open DIR/absent: No such file or directory");
  EXPECT_EQ(refused("link"), "p.json:3: root.image: DIR/link:1: file: is a symbolic link");
  EXPECT_NE(refused("here/i"), "");
  std::filesystem::create_directory(directory_.path() + "/d");
  EXPECT_EQ(refused("d"), "p.json:3: root.image: DIR/d:1: file: is not a regular file");
  EXPECT_EQ(mkfifo((directory_.path() + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(refused("fifo"), "p.json:3: root.image: DIR/fifo:1: file: is not a regular file");
}

TEST_F(ImageFileTest, RootTakesOnlyWhatNobodyElseCanWrite) {
  if (geteuid() != 0) {
    EXPECT_NE(RefusedByRoot(Written(Squashfs())).find("must be root's"), std::string::npos);
    return;
  }
  EXPECT_EQ(RefusedByRoot(Written(Squashfs())), "");
  EXPECT_NE(RefusedByRoot(Written(Squashfs(), 0664)).find("mode 0664 lets others write"), std::string::npos);
  const RootImage image = Written(Squashfs());
  ASSERT_EQ(chown(image.path.c_str(), 1234, 0), 0);
  EXPECT_NE(RefusedByRoot(image).find("DIR/i:1: file: belongs to uid 1234"), std::string::npos);
  ASSERT_EQ(chown(image.path.c_str(), 0, 0), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 01777), 0);
  EXPECT_NE(RefusedByRoot(image).find("DIR:1: directory: mode 1777 lets others write"), std::string::npos);
}

TEST_F(ImageFileTest, AFormerOwnersOpenDescriptorIsRefused) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  const RootImage image = Written(Squashfs());
  {
    const UniqueFd writer(open(image.path.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(writer.valid());
    EXPECT_NE(RefusedByRoot(image).find("nobody may have it open for writing"), std::string::npos);
  }
  EXPECT_EQ(RefusedByRoot(image), "");
}

}  // namespace
}  // namespace caisson::policy
