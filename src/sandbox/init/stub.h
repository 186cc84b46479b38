// The stub: locks itself, waits, and becomes the payload.
#ifndef CAISSON_SANDBOX_INIT_STUB_H_
#define CAISSON_SANDBOX_INIT_STUB_H_

#include "sandbox/init/plan_reader.h"
#include "sandbox/init/report.h"

namespace caisson::init {

struct StubInheritance {
  int go_pipe;         // read end
  int error_pipe;      // write end, close-on-exec
  int first_procs_fd;  // cgroup.procs of the payload's leaves
  uint32_t procs_fds;
  uint32_t uid;   // the payload's, and its gid
  bool terminal;  // descriptors 0, 1 and 2 are one
};

// Never returns: execs the payload, or reports the step that failed and exits.
[[noreturn]] void RunStub(const PlanReader& plan, const StubInheritance& inheritance);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_STUB_H_
