// Looks for runs on the disk, for GetRun and ListRuns. On the I/O thread; the reading is the record thread's.
#ifndef CAISSON_DISPATCHER_STORED_LOOKUP_H_
#define CAISSON_DISPATCHER_STORED_LOOKUP_H_

#include <grpcpp/support/status.h>

#include <functional>

#include "caisson/v1/run.pb.h"
#include "dispatcher/record_thread.h"
#include "dispatcher/run_listing.h"
#include "dispatcher/run_name.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

using RunReply = std::function<void(const grpc::Status& status, const v1::Run& run)>;
using PageReply = std::function<void(const grpc::Status& status, const v1::ListRunsResponse& page)>;

void ReadStoredRun(RecordThread& records, const Caller& caller, const RunId& id, RunReply reply);

// With the runs in memory, as they were when this was called.
void ReadStoredPage(RecordThread& records, ListingRequest request, LiveRuns live, PageReply reply);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_STORED_LOOKUP_H_
