// The limits of a request: from the message's optional fields to one value for each limit, and back for
// ListProfiles.
#ifndef CAISSON_DISPATCHER_REQUESTED_LIMITS_H_
#define CAISSON_DISPATCHER_REQUESTED_LIMITS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "dispatcher/errors.h"
#include "policy/limits.h"

namespace caisson::dispatcher {

// Defaults of `range` with what the client asked for on top. Violations name "limits.NAME".
std::vector<FieldViolation> ResolveRequestedLimits(const v1::Limits& requested,
                                                   const policy::LimitRange& range, policy::Limits& resolved);

// What the client asked for, limit by limit.
std::vector<std::pair<policy::LimitId, uint64_t>> AskedLimits(const v1::Limits& requested);

v1::Limits LimitsToProto(const policy::Limits& limits);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_REQUESTED_LIMITS_H_
