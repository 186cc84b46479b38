// caissond's own judgement of a START: limits against the profile's ceilings. Pure.
#ifndef CAISSON_ORCHESTRATOR_START_CHECK_H_
#define CAISSON_ORCHESTRATOR_START_CHECK_H_

#include <optional>

#include "ipc/messages.h"
#include "policy/limits.h"

namespace caisson::orchestrator {

// The first limit that is below its minimum or above its ceiling. The dispatcher has refused such requests
// before; one that arrives here comes from a dispatcher that is broken or taken over. Nothing is clamped.
std::optional<ipc::LimitName> FindLimitOutOfRange(const ipc::StartLimits& limits,
                                                  const policy::LimitRange& range);
std::optional<ipc::LimitName> FindSizeOutOfRange(const ipc::Prepare& prepare,
                                                 const policy::LimitRange& range);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_START_CHECK_H_
