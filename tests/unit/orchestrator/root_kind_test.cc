// Whose files a root is made of, as the kernel's list of mounts says.
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <optional>
#include <string>

#include "orchestrator/isolation_reader.h"

namespace caisson::orchestrator {
namespace {

std::string HostMounts() {
  return "80 79 0:40 / / ro,nosuid,nodev,relatime - tmpfs tmpfs rw,size=1024k,nr_inodes=512,mode=755\n"
         "81 80 254:0 /usr /usr ro,nosuid,nodev,relatime - ext4 /dev/vda rw,discard\n"
         "82 80 0:41 / /dev ro,nosuid,noexec,relatime - tmpfs tmpfs rw,size=64k,nr_inodes=32,mode=755\n"
         "83 80 0:42 /box /box rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,size=65536k\n"
         "84 80 0:42 /tmp /tmp rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,size=65536k\n"
         "85 82 0:42 /shm /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,size=65536k\n"
         "86 80 0:43 / /proc ro,nosuid,nodev,noexec,relatime - proc proc rw,hidepid=invisible,subset=pid\n";
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// The same root, of an image on the loop device 3.
const dev_t kImage = makedev(7, 3);
std::string ImageMounts() {
  return Replaced(HostMounts(), "81 80 254:0 /usr /usr ro,nosuid,nodev,relatime - ext4 /dev/vda rw,discard",
                  "81 80 7:3 /usr /usr ro,nosuid,nodev,relatime - squashfs /proc/self/fd/9 ro");
}

ipc::RootKind RootOf(const std::string& text, std::optional<dev_t> image) {
  ipc::IsolationReport report{};
  EXPECT_TRUE(ParseMountInfo(text, image, report).ok());
  return report.root;
}

TEST(RootKindTest, ARootIsAnImageWhereEveryMountOfTheProfileIs) {
  EXPECT_EQ(RootOf(HostMounts(), std::nullopt), ipc::RootKind::kHost);
  EXPECT_EQ(RootOf(ImageMounts(), kImage), ipc::RootKind::kImage);
  EXPECT_EQ(RootOf(ImageMounts(), std::nullopt), ipc::RootKind::kHost) << "nobody said so";
  EXPECT_EQ(RootOf(HostMounts(), kImage), ipc::RootKind::kHost);
  EXPECT_EQ(RootOf(ImageMounts(), makedev(7, 4)), ipc::RootKind::kHost);
}

TEST(RootKindTest, OneMountOfTheHostMakesTheRootTheHosts) {
  for (const char* line : {"90 80 254:0 /etc/localtime /etc/localtime ro,nosuid,nodev - ext4 /dev/vda rw\n",
                           "90 80 0:30 /secrets /etc/secrets ro,nosuid,nodev - tmpfs tmpfs rw\n",
                           "90 80 0:43 / /usr/proc ro,nosuid,nodev - proc proc rw\n"}) {
    EXPECT_EQ(RootOf(ImageMounts() + line, kImage), ipc::RootKind::kHost) << line;
  }
}

TEST(RootKindTest, ARootWithoutAMountOfTheImageIsNone) {
  std::string text = ImageMounts();
  const size_t begin = text.find("81 80");
  text.erase(begin, text.find('\n', begin) + 1 - begin);
  EXPECT_EQ(RootOf(text, kImage), ipc::RootKind::kHost);
}

TEST(RootKindTest, ADeviceThatIsNoneIsAnError) {
  for (const char* device : {"7", "7:", ":3", "7:3:1", "a:3", "7:b", "7:3x", "-7:3"}) {
    ipc::IsolationReport report{};
    EXPECT_TRUE(absl::IsInvalidArgument(
        ParseMountInfo(Replaced(HostMounts(), "254:0", device), std::nullopt, report)))
        << device;
  }
}

}  // namespace
}  // namespace caisson::orchestrator
