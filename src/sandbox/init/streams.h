// What connects a run with the outside: three pipes or a terminal, events, output files; and the two pipes
// between init and the stub.
#ifndef CAISSON_SANDBOX_INIT_STREAMS_H_
#define CAISSON_SANDBOX_INIT_STREAMS_H_

#include "sandbox/init/report.h"
#include "sandbox/init/supervise.h"

namespace caisson::init {

// In the order of ReadyMessage: stdin write end, stdout, stderr, events and outputs read ends. With a
// terminal the first two are its master, the third is at its end.
struct OuterEnds {
  int fds[5];
};

// Made by init under its own uid, after every power over the host is gone, so that one run's pipes and
// terminal never count against another's quota. The payload's ends become descriptors 0, 1 and 2; the others
// go into `fds`.
OuterEnds MakeStreams(bool terminal, Descriptors& fds, Progress& progress);

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_STREAMS_H_
