// Builds the sandbox's root as real root, in two parts: what all runs of a plan begin with, once, and each
// run's own.
#ifndef CAISSON_SANDBOX_INIT_BUILD_ROOT_H_
#define CAISSON_SANDBOX_INIT_BUILD_ROOT_H_

#include "sandbox/init/plan_reader.h"
#include "sandbox/init/report.h"

namespace caisson::init {

// In a mount namespace of its own, a copy of caissond's: follows the plan's records up to kOfTheRun, pivots,
// lets go of the host's tree. Afterwards nothing of the host is reachable but the plan's binds, and all of it
// is read-only. Needs CAP_SYS_ADMIN in the initial user namespace.
void BuildTemplate(PlanReader plan, const sandbox::SetupMessage& setup, Progress& progress);

// From caissond's mount namespace: takes a copy of the template for itself, and in the copy follows the
// records after kOfTheRun. What it mounts, nobody else ever sees. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT
// there.
void EnterRoot(PlanReader plan, const sandbox::SetupMessage& setup, Progress& progress);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_BUILD_ROOT_H_
