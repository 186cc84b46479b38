#include "common/packet_socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include "common/files.h"
#include "common/status.h"

namespace caisson {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

class PacketSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    auto pair = MakePacketSocketPair();
    ASSERT_TRUE(pair.ok()) << pair.status();
    near_ = std::move(pair->first);
    far_ = std::move(pair->second);
    null_ = UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(null_.valid());
  }

  // Sends what SendPacket refuses to send: as a hostile peer would.
  void SendRaw(size_t bytes, size_t fds) const {
    std::vector<std::byte> data(bytes);
    iovec vector{data.data(), data.size()};
    std::vector<char> control(CMSG_SPACE(sizeof(int) * fds));
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (fds != 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int) * fds);
      const std::vector<int> numbers(fds, null_.get());
      std::memcpy(CMSG_DATA(header), numbers.data(), numbers.size() * sizeof(int));
    }
    ASSERT_EQ(sendmsg(near_.get(), &message, 0), static_cast<ssize_t>(bytes));
  }

  UniqueFd near_;
  UniqueFd far_;
  UniqueFd null_;
};

ptrdiff_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

TEST_F(PacketSocketTest, PacketsKeepTheirBordersAndTheirOrder) {
  ASSERT_TRUE(SendPacket(near_.get(), Bytes("one")).ok());
  ASSERT_TRUE(SendPacket(near_.get(), Bytes("three")).ok());
  const absl::StatusOr<Packet> first = ReceivePacket(far_.get());
  const absl::StatusOr<Packet> second = ReceivePacket(far_.get());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->bytes.size(), 3U);
  EXPECT_EQ(second->bytes.size(), 5U);
  EXPECT_TRUE(second->fds.empty());
}

TEST_F(PacketSocketTest, DescriptorsArriveCloseOnExec) {
  const std::array<int, kMaxPacketFds> fds{null_.get(), null_.get(), null_.get(), null_.get()};
  ASSERT_TRUE(SendPacket(near_.get(), Bytes("x"), fds).ok());
  const absl::StatusOr<Packet> packet = ReceivePacket(far_.get());
  ASSERT_TRUE(packet.ok()) << packet.status();
  ASSERT_EQ(packet->fds.size(), kMaxPacketFds);
  for (const UniqueFd& fd : packet->fds) {
    EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST_F(PacketSocketTest, ThePacketOfTheLargestSizeArrives) {
  SendRaw(kMaxPacketBytes, 0);
  const absl::StatusOr<Packet> packet = ReceivePacket(far_.get());
  ASSERT_TRUE(packet.ok()) << packet.status();
  EXPECT_EQ(packet->bytes.size(), kMaxPacketBytes);
}

TEST_F(PacketSocketTest, ALargerPacketIsRefusedWithoutALeak) {
  const ptrdiff_t before = OpenDescriptors();
  SendRaw(kMaxPacketBytes + 1, 2);
  EXPECT_EQ(ReceivePacket(far_.get()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(PacketSocketTest, TooManyDescriptorsAreRefusedWithoutALeak) {
  const ptrdiff_t before = OpenDescriptors();
  for (const size_t fds : {kMaxPacketFds + 1, kMaxPacketFds + 2, size_t{100}}) {
    SendRaw(1, fds);
    EXPECT_EQ(ReceivePacket(far_.get()).status().code(), absl::StatusCode::kInvalidArgument) << fds;
    EXPECT_EQ(OpenDescriptors(), before) << fds;
  }
}

TEST_F(PacketSocketTest, AnEmptySocketIsUnavailableAndAClosedOneAborted) {
  EXPECT_EQ(ReceivePacket(far_.get()).status().code(), absl::StatusCode::kUnavailable);
  near_.reset();
  EXPECT_EQ(ReceivePacket(far_.get()).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(SendPacket(far_.get(), Bytes("x")).code(), absl::StatusCode::kAborted);
}

TEST_F(PacketSocketTest, AFullQueueSaysSoInsteadOfBlocking) {
  absl::Status status;
  for (int i = 0; status.ok() && i < 1'000'000; ++i) {
    status = SendPacket(near_.get(), Bytes("x"));
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace caisson
