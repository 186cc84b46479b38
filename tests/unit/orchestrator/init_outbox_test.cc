#include "orchestrator/init_outbox.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "common/packet_socket.h"
#include "sandbox/control_messages.h"

namespace caisson::orchestrator {
namespace {

using sandbox::ControlType;

class InitOutboxTest : public testing::Test {
 protected:
  InitOutboxTest() : pair_(*MakePacketSocketPair()) {}

  int near() const { return pair_.first.get(); }

  // Until the socket takes no more; how many packets that were.
  int Fill() {
    int sent = 0;
    const std::byte filler{};
    while (SendPacket(near(), std::span(&filler, 1)).ok()) {
      ++sent;
    }
    return sent;
  }

  void Drain(int packets) {
    for (int i = 0; i < packets; ++i) {
      ASSERT_TRUE(ReceivePacket(pair_.second.get()).ok());
    }
  }

  template <class M>
  M Receive() {
    const absl::StatusOr<Packet> packet = ReceivePacket(pair_.second.get());
    M message{};
    if (!packet.ok() || packet->bytes.size() != sizeof message) {
      ADD_FAILURE() << "there is no such message";
      return message;
    }
    std::memcpy(&message, packet->bytes.data(), sizeof message);
    EXPECT_EQ(message.magic, sandbox::kControlMagic);
    return message;
  }

  int ReceiveSignal() {
    const auto message = Receive<sandbox::SignalMessage>();
    EXPECT_EQ(message.type, ControlType::kSignal);
    return message.signal_number;
  }

  void ExpectNothing() { EXPECT_TRUE(absl::IsUnavailable(ReceivePacket(pair_.second.get()).status())); }

  std::pair<UniqueFd, UniqueFd> pair_;
  InitOutbox outbox_;
};

TEST_F(InitOutboxTest, WhatThereIsRoomForIsSentAtOnce) {
  outbox_.AddSignal(SIGTERM);
  EXPECT_TRUE(outbox_.Flush(near()).ok());
  EXPECT_EQ(ReceiveSignal(), SIGTERM);
  ExpectNothing();
}

TEST_F(InitOutboxTest, WhatThereIsNoRoomForWaitsEachSignalOnce) {
  const int filler = Fill();
  for (const int number : {SIGUSR1, SIGUSR2, SIGUSR1, 64, 1}) {
    outbox_.AddSignal(number);
    EXPECT_TRUE(absl::IsUnavailable(outbox_.Flush(near())));
  }
  outbox_.AddLocksHeld(7);
  EXPECT_TRUE(absl::IsUnavailable(outbox_.Flush(near())));
  EXPECT_TRUE(outbox_.has_answer());
  Drain(filler);
  EXPECT_TRUE(outbox_.Flush(near()).ok());
  EXPECT_FALSE(outbox_.has_answer());
  const auto answer = Receive<sandbox::LocksHeldMessage>();
  EXPECT_EQ(answer.type, ControlType::kLocksHeld);
  EXPECT_EQ(answer.held, 7U);
  for (const int number : {1, SIGUSR1, SIGUSR2, 64}) {
    EXPECT_EQ(ReceiveSignal(), number);
  }
  ExpectNothing();
}

TEST_F(InitOutboxTest, NothingWaitsForAnInitThatIsGone) {
  pair_.second.reset();
  outbox_.AddSignal(SIGTERM);
  outbox_.AddLocksHeld(1);
  EXPECT_TRUE(absl::IsAborted(outbox_.Flush(near())));
  EXPECT_FALSE(outbox_.has_answer());
  EXPECT_TRUE(outbox_.Flush(near()).ok());
}

}  // namespace
}  // namespace caisson::orchestrator
