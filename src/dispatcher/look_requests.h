// The requests of methods that look at things: pages of lists, places in streams. Read here into values.
// Runs on gRPC's threads over client messages: untrusted.
#ifndef CAISSON_DISPATCHER_LOOK_REQUESTS_H_
#define CAISSON_DISPATCHER_LOOK_REQUESTS_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>

#include "caisson/v1/run.pb.h"
#include "dispatcher/follower.h"
#include "dispatcher/profile_catalog.h"
#include "dispatcher/run_listing.h"
#include "policy/tenant_policy.h"

namespace caisson::dispatcher {

// Each: OK, or the refusal.
grpc::Status CheckPageSize(int32_t page_size);
grpc::Status CheckNamePageToken(const std::string& token);
// `offsets` of a FollowRunRequest.
grpc::Status ReadOffsets(const v1::FollowRunRequest& follow, FollowPosition& from);
// All but `caller`.
grpc::Status ReadListing(const v1::ListRunsRequest& list, ListingRequest& listing);

// The profiles that `policy` allows, with limits as it leaves them; null: all, as they are.
v1::ListProfilesResponse MakeProfilePage(const ProfileCatalog& catalog, const v1::ListProfilesRequest& list,
                                         const policy::TenantPolicy* policy);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_LOOK_REQUESTS_H_
