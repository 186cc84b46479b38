#include "ipc/state_table.h"

#include <array>
#include <cstddef>

namespace caisson::ipc {
namespace {

constexpr Permission kYes = Permission::kPermitted;
constexpr Permission kSkip = Permission::kIgnored;
constexpr Permission kEnd = Permission::kViolation;

struct Row {
  MessageType request;
  std::array<Permission, kSandboxStates> in_state;
};

constexpr std::array<Row, 4> kTable{{
    //                        none   preparing starting prepared running ending
    {MessageType::kPrepare, {{kYes, kEnd, kEnd, kEnd, kEnd, kEnd}}},
    {MessageType::kStart, {{kSkip, kYes, kEnd, kYes, kEnd, kSkip}}},
    {MessageType::kCancel, {{kSkip, kYes, kYes, kYes, kYes, kSkip}}},
    {MessageType::kSignal, {{kSkip, kEnd, kEnd, kEnd, kYes, kSkip}}},
}};

}  // namespace

Permission Check(MessageType request, SandboxState state) {
  const auto column = static_cast<size_t>(state);
  for (const Row& row : kTable) {
    if (row.request == request && column < row.in_state.size()) {
      return row.in_state.at(column);
    }
  }
  return Permission::kViolation;
}

}  // namespace caisson::ipc
