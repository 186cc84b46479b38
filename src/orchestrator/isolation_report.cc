// Run by caissond as root. Of what init says only two errnos are taken, those of the Landlock probe.
#include "orchestrator/isolation_report.h"

#include <cerrno>
#include <vector>

#include "common/status.h"
#include "orchestrator/isolation_reader.h"
#include "sandbox/layers_outside.h"

namespace caisson::orchestrator {

absl::Status FillIsolationReport(const Sandbox& sandbox, const StepPlan& plan,
                                 const sandbox::ReadyMessage& ready, ipc::IsolationReport& report) {
  ASSIGN_OR_RETURN(const std::vector<pid_t> pids, sandbox.cgroup->PayloadPids());
  if (pids.size() != 1) {
    return absl::FailedPreconditionError("the payload's cgroup holds " + std::to_string(pids.size()) +
                                         " processes instead of the stub");
  }
  ipc::IsolationReport init{};
  ASSIGN_OR_RETURN(report, ReadIsolation(pids.front(), {plan.image_device, sandbox.root_template}, &init));
  RETURN_IF_ERROR(CheckInit(init));
  ASSIGN_OR_RETURN(const CgroupLimits limits, sandbox.cgroup->ReadLimits());
  report.cgroup_memory_bytes = limits.memory_bytes;
  report.cgroup_pids = limits.pids;
  report.cgroup_cpu_millis = limits.cpu_millis;
  report.max_user_namespaces = sandbox::LayersBuiltIn().user_namespace_ban ? 0 : 1;
  report.landlock_abi = plan.landlock_abi;
  report.landlock_enforced =
      ready.landlock_probe_errno == EACCES && ready.landlock_control_errno == 0 ? 1 : 0;
  report.filter_digest = plan.filter_digest;
  report.learning = plan.learning ? 1 : 0;
  report.root_digest = plan.root_digest;
  return absl::OkStatus();
}

}  // namespace caisson::orchestrator
