// Signs of an attempt that a run's result shows, as lines of the log that machines read: what an operator
// should hear of without reading results. Pure. docs/operations.md lists them with the threat each answers.
#ifndef CAISSON_DISPATCHER_SECURITY_EVENTS_H_
#define CAISSON_DISPATCHER_SECURITY_EVENTS_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"

namespace caisson::dispatcher {

// Refused calls of one run from which on they are more than a curious library's.
inline constexpr uint64_t kManyDenials = 100;
// Processes or threads refused by the limit pids, or files that could not be returned: no program means to.
inline constexpr uint64_t kManyRefusals = 100;

inline constexpr std::array kSecurityEvents = {"forbidden_call", "denial_burst", "limit_probe",
                                               "setup_failed"};

struct SecurityEvent {
  const char* name;     // one of kSecurityEvents
  std::string details;  // "key=value key=value": numbers and words of ours
};

std::vector<SecurityEvent> FindSecurityEvents(const v1::RunResult& result);

// "security: event=... run=... tenant=... profile=... KEY=VALUE... trace=...", without the last where there
// is no trace.
std::string SecurityLine(const SecurityEvent& event, const v1::Run& run, const std::string& tenant);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SECURITY_EVENTS_H_
