#include "ipc/state_table.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace caisson::ipc {
namespace {

constexpr SandboxState kStates[] = {SandboxState::kNone,     SandboxState::kPreparing,
                                    SandboxState::kStarting, SandboxState::kPrepared,
                                    SandboxState::kRunning,  SandboxState::kEnding};

// Everything that is not a violation; each pair that is missing must be one.
const std::map<std::pair<MessageType, SandboxState>, Permission>& Expected() {
  static const auto* const kExpected = new std::map<std::pair<MessageType, SandboxState>, Permission>{
      {{MessageType::kPrepare, SandboxState::kNone}, Permission::kPermitted},
      {{MessageType::kStart, SandboxState::kPreparing}, Permission::kPermitted},
      {{MessageType::kStart, SandboxState::kPrepared}, Permission::kPermitted},
      {{MessageType::kStart, SandboxState::kEnding}, Permission::kIgnored},
      {{MessageType::kStart, SandboxState::kNone}, Permission::kIgnored},
      {{MessageType::kCancel, SandboxState::kPreparing}, Permission::kPermitted},
      {{MessageType::kCancel, SandboxState::kStarting}, Permission::kPermitted},
      {{MessageType::kCancel, SandboxState::kPrepared}, Permission::kPermitted},
      {{MessageType::kCancel, SandboxState::kRunning}, Permission::kPermitted},
      {{MessageType::kCancel, SandboxState::kEnding}, Permission::kIgnored},
      {{MessageType::kCancel, SandboxState::kNone}, Permission::kIgnored},
      {{MessageType::kSignal, SandboxState::kRunning}, Permission::kPermitted},
      {{MessageType::kSignal, SandboxState::kEnding}, Permission::kIgnored},
      {{MessageType::kSignal, SandboxState::kNone}, Permission::kIgnored},
  };
  return *kExpected;
}

TEST(StateTableTest, EveryTypeInEveryStateIsDecided) {
  for (uint16_t type = 0; type < 256; ++type) {
    for (const SandboxState state : kStates) {
      const auto found = Expected().find({MessageType{type}, state});
      EXPECT_EQ(Check(MessageType{type}, state),
                found == Expected().end() ? Permission::kViolation : found->second)
          << "type " << type << " state " << static_cast<int>(state);
    }
  }
}

TEST(StateTableTest, AnUnknownStateIsAViolation) {
  EXPECT_EQ(Check(MessageType::kCancel, SandboxState{kSandboxStates}), Permission::kViolation);
}

}  // namespace
}  // namespace caisson::ipc
