// The record of a run as it begins.
#ifndef CAISSON_DISPATCHER_RUN_RECORD_H_
#define CAISSON_DISPATCHER_RUN_RECORD_H_

#include <cstdint>

#include "caisson/v1/run.pb.h"
#include "dispatcher/run.h"

namespace caisson::dispatcher {

// Of the wall clock, for records; deadlines use the other.
int64_t UnixNanos();

// QUEUED, from now on.
v1::Run NewRunRecord(const RunSpec& spec);

// What all that is stored of its tenant may come to, by its policy.
uint64_t MostStoredBytes(const RunSpec& spec);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_RUN_RECORD_H_
