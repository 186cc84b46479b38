// Tells of runs: counts them (metrics.h), and logs what an operator should hear of (security_events.h). On
// the I/O thread.
#ifndef CAISSON_DISPATCHER_RUN_OBSERVER_H_
#define CAISSON_DISPATCHER_RUN_OBSERVER_H_

#include <grpcpp/support/status.h>

#include "caisson/v1/run.pb.h"
#include "dispatcher/metrics.h"
#include "dispatcher/run.h"

namespace caisson::dispatcher {

class RunObserver {
 public:
  // `metrics` may be null: then nothing is counted.
  explicit RunObserver(Metrics* metrics) : metrics_(metrics) {}

  void OnRefused(const grpc::Status& status);
  void OnAdmitted(const Run& run);
  void OnSandbox(bool from_pool);
  void OnResult(const Run& run, const v1::RunResult& result);

 private:
  Metrics* const metrics_;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_OBSERVER_H_
