// Builds the sandbox's root as real root, and pivots into it.
#ifndef CAISSON_SANDBOX_INIT_BUILD_ROOT_H_
#define CAISSON_SANDBOX_INIT_BUILD_ROOT_H_

#include "sandbox/init/plan_reader.h"
#include "sandbox/init/report.h"

namespace caisson::init {

// Follows the plan's mount records in their order, pivots, lets go of the host's tree, seals what the plan
// says. Afterwards nothing of the host is reachable but the plan's binds. Needs CAP_SYS_ADMIN in the initial
// user namespace.
void BuildRoot(PlanReader plan, const sandbox::SetupMessage& setup, Progress& progress);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_BUILD_ROOT_H_
