#include "dispatcher/supervisor_link.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <cstring>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/files.h"
#include "common/status.h"

namespace caisson::dispatcher {
namespace {

class SupervisorLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    auto ends = MakePacketSocketPair();
    ASSERT_TRUE(ends.ok());
    peer_ = std::move(ends->second);
    loop_ = std::move(*EventLoop::Create());
    link_ = std::make_unique<SupervisorLink>(*loop_, std::move(ends->first));
    ASSERT_TRUE(link_
                    ->Start(
                        [this](const ipc::Reply& reply, std::vector<UniqueFd> fds) {
                          replies_.push_back(reply);
                          fd_count_ += fds.size();
                        },
                        [this](const absl::Status& reason) {
                          lost_.push_back(reason);
                          loop_->Stop();
                        })
                    .ok());
  }

  std::unique_ptr<EventLoop> loop_;
  UniqueFd peer_;
  std::unique_ptr<SupervisorLink> link_;
  std::vector<ipc::Reply> replies_;
  size_t fd_count_ = 0;
  std::vector<absl::Status> lost_;
};

TEST_F(SupervisorLinkTest, DeliversMessagesInOrderThenTheEndOnce) {
  auto drain = ipc::Make<ipc::Drain>();
  drain.grace_ms = 5;
  auto failed = ipc::Make<ipc::PrepareFailed>();
  failed.sandbox = 7;
  failed.refusal = ipc::Refusal::kCapacity;
  ASSERT_TRUE(SendPacket(peer_.get(), ipc::AsBytes(failed)).ok());
  ASSERT_TRUE(SendPacket(peer_.get(), ipc::AsBytes(drain)).ok());
  peer_.reset();
  ASSERT_TRUE(loop_->Run().ok());
  ASSERT_EQ(replies_.size(), 2U);
  EXPECT_EQ(std::get<ipc::PrepareFailed>(replies_[0]).sandbox, 7U);
  EXPECT_EQ(std::get<ipc::Drain>(replies_[1]).grace_ms, 5U);
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_TRUE(absl::IsAborted(lost_[0]));
  EXPECT_TRUE(link_->lost());
  link_->Send(ipc::Make<ipc::Cancel>());  // into nothing, without harm
}

TEST_F(SupervisorLinkTest, ABrokenMessageEndsTheConnection) {
  auto drain = ipc::Make<ipc::Drain>();
  drain.header.version = 99;
  ASSERT_TRUE(SendPacket(peer_.get(), ipc::AsBytes(drain)).ok());
  ASSERT_TRUE(loop_->Run().ok());
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_TRUE(absl::IsInvalidArgument(lost_[0])) << lost_[0].message();
  EXPECT_TRUE(replies_.empty());
}

TEST_F(SupervisorLinkTest, MessagesBeyondTheSocketsBufferWaitAndKeepTheirOrder) {
  constexpr uint64_t kMessages = 3000;
  for (uint64_t id = 1; id <= kMessages; ++id) {
    auto start = ipc::Make<ipc::Start>();
    start.sandbox = id;
    link_->Send(start, *OpenFile("/dev/null", O_RDONLY));
  }
  uint64_t expected = 1;
  // The peer reads in the same loop; the link refills the socket as it empties.
  ASSERT_TRUE(loop_
                  ->Watch(peer_.get(), EPOLLIN,
                          [&](uint32_t /*events*/) {
                            auto packet = ReceivePacket(peer_.get());
                            ASSERT_TRUE(packet.ok()) << Message(packet.status());
                            ipc::Start start{};
                            ASSERT_EQ(packet->bytes.size(), sizeof start);
                            std::memcpy(&start, packet->bytes.data(), sizeof start);
                            EXPECT_EQ(start.sandbox, expected);
                            EXPECT_EQ(packet->fds.size(), 1U);
                            if (expected++ == kMessages) {
                              loop_->Stop();
                            }
                          })
                  .ok());
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(expected, kMessages + 1);
  loop_->Unwatch(peer_.get());
}

TEST_F(SupervisorLinkTest, SendingToADeadPeerIsReportedFromTheLoop) {
  peer_.reset();
  link_->Send(ipc::Make<ipc::Cancel>());
  EXPECT_TRUE(lost_.empty());
  ASSERT_TRUE(loop_->Run().ok());
  EXPECT_EQ(lost_.size(), 1U);
}

}  // namespace
}  // namespace caisson::dispatcher
