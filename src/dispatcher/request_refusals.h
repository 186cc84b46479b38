// What a well-formed request is refused for: an unknown profile, a library or room that this host lacks.
// Runs on gRPC's threads.
#ifndef CAISSON_DISPATCHER_REQUEST_REFUSALS_H_
#define CAISSON_DISPATCHER_REQUEST_REFUSALS_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>

#include "caisson/v1/run.pb.h"
#include "dispatcher/profile_catalog.h"
#include "dispatcher/request_validation.h"
#include "policy/profile.h"

namespace caisson::dispatcher {

// What the profile's compile step may have; 0 without one.
uint64_t CompileMemory(const policy::Profile& profile);
grpc::Status RefuseUnknownProfile(const std::string& name, const ProfileCatalog& catalog);
// Whether the run could ever start on this host.
grpc::Status CheckHost(const ValidRequest& valid, uint64_t memory_budget_bytes);
// OK, or a library that the profile offers and this host lacks.
grpc::Status RefuseMissingLibrary(const v1::ExecuteRequest& request, const CatalogEntry& entry);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_REQUEST_REFUSALS_H_
