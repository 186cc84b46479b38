// From the boundary's structs and our own values to the public API's messages: the one place that knows both.
#ifndef CAISSON_DISPATCHER_CONVERT_H_
#define CAISSON_DISPATCHER_CONVERT_H_

#include <cstdint>
#include <string>

#include "caisson/v1/run.pb.h"
#include "dispatcher/profile_catalog.h"
#include "dispatcher/run_outcome.h"
#include "ipc/messages.h"
#include "ipc/run_streams.h"

namespace caisson::dispatcher {

v1::RunEvent QueuedEvent(uint32_t position);
v1::RunEvent AcceptedEvent(const std::string& name);
v1::RunEvent StartedEvent(const ipc::IsolationReport& report);
v1::RunEvent OutputEvent(ipc::Step step, v1::Stream stream, uint64_t offset, std::string data);
v1::RunEvent DenialEvent(ipc::Step step, const wire::Event& event);
v1::RunEvent OutputFileEvent(const std::string& path, uint64_t offset, std::string data, uint64_t size_bytes,
                             bool executable);
v1::RunEvent StepFinishedEvent(const StepOutcome& step);
v1::RunEvent FinishedEvent(const v1::RunResult& result);

v1::RunResult ResultToProto(const RunOutcome& outcome);
v1::Isolation IsolationToProto(const ipc::IsolationReport& report);
v1::Profile ProfileToProto(const CatalogEntry& entry);

// The end of a run whose sandbox could not be had, in the form of caissond's own messages.
ipc::Finished RefusedOutcome(ipc::Refusal refusal, const ipc::SetupError& error);
// The end of a run that was canceled while it had no sandbox.
StepOutcome CanceledOutcome(ipc::CancelReason reason);
// The end of a run that we failed while it had no sandbox.
StepOutcome FailedOutcome(const std::string& detail);

// One sentence for people: what ended the step, with the limit in units they read.
std::string OutcomeSentence(const StepOutcome& outcome);

// A run whose last step this is ends as COMPILE_FAILED: whatever ends a compile step but a cancellation or a
// failure of ours says that the source cannot be compiled.
bool EndsAsCompileFailed(const StepOutcome& last);

// The API's name of a step.
const char* StepName(ipc::Step step);

// The API's name of a limit ("wall_time_ms", "denial_rate", "sockets"); empty for kNone.
std::string LimitFieldName(ipc::LimitName limit);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CONVERT_H_
