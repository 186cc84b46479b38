// The isolation report of a sandbox whose stub waits: what the kernel shows, what was probed inside, what was
// loaded.
#ifndef CAISSON_ORCHESTRATOR_ISOLATION_REPORT_H_
#define CAISSON_ORCHESTRATOR_ISOLATION_REPORT_H_

#include "absl/status/status.h"
#include "ipc/messages.h"
#include "orchestrator/profile_store.h"
#include "orchestrator/sandbox_builder.h"
#include "sandbox/plan.h"

namespace caisson::orchestrator {

// Finds the stub by its cgroup, never by init's word, and reads about it from outside. kFailedPrecondition if
// there is not exactly one process to read about, or init has not locked itself.
absl::Status FillIsolationReport(const Sandbox& sandbox, const StepPlan& plan,
                                 const sandbox::ReadyMessage& ready, ipc::IsolationReport& report);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_ISOLATION_REPORT_H_
