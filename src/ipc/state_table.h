// What the dispatcher may ask of one sandbox in which of its states, as caissond (root) sees them.
// The dispatcher is untrusted: whatever the table does not permit is a protocol violation and ends its
// session. docs/ipc-protocol.md has the same table with the answers.
#ifndef CAISSON_IPC_STATE_TABLE_H_
#define CAISSON_IPC_STATE_TABLE_H_

#include <cstdint>

#include "ipc/messages.h"

namespace caisson::ipc {

enum class SandboxState : uint8_t {
  kNone,       // no sandbox has this id
  kPreparing,  // PREPARE was taken, not yet answered
  kStarting,   // so was START, which waits for the sandbox to be ready
  kPrepared,   // PREPARED was sent; also while a sandbox that died waiting is kept for its START or CANCEL
  kRunning,    // START was taken
  kEnding,     // the end is decided, FINISHED not yet sent
};
inline constexpr int kSandboxStates = 6;

enum class Permission : uint8_t {
  kPermitted,
  kIgnored,    // crossed an answer of ours on the way: normal, without effect
  kViolation,  // ends the session
};

// Never fails; a reply's type and an unknown number are violations in every state.
Permission Check(MessageType request, SandboxState state);

}  // namespace caisson::ipc

#endif  // CAISSON_IPC_STATE_TABLE_H_
