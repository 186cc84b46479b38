#include "sandbox/landlock_host.h"

#include <gtest/gtest.h>

namespace caisson::sandbox {
namespace {

TEST(LandlockRightsTest, EveryAbiHandlesEveryRightItKnows) {
  EXPECT_EQ(HandledRights(1, policy::NetworkMode::kNone).handled_access_fs, 0x1fffU);
  EXPECT_EQ(HandledRights(2, policy::NetworkMode::kNone).handled_access_fs, 0x3fffU);
  EXPECT_EQ(HandledRights(3, policy::NetworkMode::kNone).handled_access_fs, 0x7fffU);
  EXPECT_EQ(HandledRights(7, policy::NetworkMode::kNone).handled_access_fs, 0xffffU);
}

TEST(LandlockRightsTest, TcpIsHandledOnlyWithoutANetwork) {
  EXPECT_EQ(HandledRights(4, policy::NetworkMode::kNone).handled_access_net, 3U);
  EXPECT_EQ(HandledRights(4, policy::NetworkMode::kLoopback).handled_access_net, 0U);
  EXPECT_EQ(HandledRights(3, policy::NetworkMode::kNone).handled_access_net, 0U);
}

TEST(LandlockRightsTest, StructSizeIsWhatTheAbiTakes) {
  EXPECT_EQ(HandledRights(3, policy::NetworkMode::kNone).attr_bytes, 8U);
  EXPECT_EQ(HandledRights(5, policy::NetworkMode::kNone).attr_bytes, 16U);
  EXPECT_EQ(HandledRights(6, policy::NetworkMode::kNone).attr_bytes, 24U);
}

}  // namespace
}  // namespace caisson::sandbox
