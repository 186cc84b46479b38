// One page of ListRuns: what is in memory and what is stored, newest first, each run once. Pure.
#ifndef CAISSON_DISPATCHER_RUN_LISTING_H_
#define CAISSON_DISPATCHER_RUN_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "dispatcher/record_store.h"
#include "dispatcher/run_filter.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

// A page ends after the run with which it reaches this.
inline constexpr size_t kMaxPageBytes = 1024UL * 1024;
// So many runs are looked at for one page, whatever the filter lets through.
inline constexpr size_t kMaxRunsLookedAt = 5'000;

struct ListingRequest {
  Caller caller;
  uint64_t before = 0;  // only places (Caller::PlaceOf) below it; 0: from the newest
  size_t size = 0;
  RunFilter filter;
};

// The runs in memory that the caller sees, as they are now, by their places.
using LiveRuns = std::map<uint64_t, v1::Run>;
// Stored runs that the caller sees, with places below `before`, newest first, at most `most`.
using ReadStored = std::function<absl::StatusOr<std::vector<StoredRun>>(uint64_t before, size_t most)>;

absl::StatusOr<v1::ListRunsResponse> BuildPage(const ListingRequest& request, const LiveRuns& live,
                                               const ReadStored& read);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_LISTING_H_
