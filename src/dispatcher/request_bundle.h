// Turns a validated request's content into the bundles that travel to the stub: one, or what is known of two
// where there is a compile step. Runs in caisson-dispatcher on gRPC's threads, over client data.
#ifndef CAISSON_DISPATCHER_REQUEST_BUNDLE_H_
#define CAISSON_DISPATCHER_REQUEST_BUNDLE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"
#include "dispatcher/run_bundle.h"
#include "policy/profile.h"

namespace caisson::dispatcher {

struct RequestBundles {
  UniqueFd first;                     // sealed: of the only step, or of the compile step
  std::unique_ptr<RunBundle> second;  // of the run step after a compile step; else null
};

absl::StatusOr<RequestBundles> MakeBundles(const v1::ExecuteRequest& request, const std::string& main_file,
                                           const policy::Profile& profile);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_REQUEST_BUNDLE_H_
