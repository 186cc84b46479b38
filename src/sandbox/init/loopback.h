// The interface lo of the run's own network namespace, for a profile whose network is `loopback`.
#ifndef CAISSON_SANDBOX_INIT_LOOPBACK_H_
#define CAISSON_SANDBOX_INIT_LOOPBACK_H_

#include "sandbox/init/plan_reader.h"
#include "sandbox/init/report.h"

namespace caisson::init {

// Does nothing unless the plan asks for it. Needs the host's /proc/sys, so it comes before the root is built,
// and CAP_NET_ADMIN in the host's user namespace, which owns the run's network namespace: nobody inside has
// it later.
void RaiseLoopback(PlanReader plan, Progress& progress);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_LOOPBACK_H_
