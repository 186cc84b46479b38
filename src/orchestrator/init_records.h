// What a sandbox's init sends to caissond, taken apart. init answers a hostile payload and could one day be
// subverted: each record must have exactly its size, and every number is brought into its range.
#ifndef CAISSON_ORCHESTRATOR_INIT_RECORDS_H_
#define CAISSON_ORCHESTRATOR_INIT_RECORDS_H_

#include <cstddef>
#include <optional>
#include <span>
#include <variant>

#include "orchestrator/finished_message.h"
#include "orchestrator/verdict.h"
#include "sandbox/plan.h"

namespace caisson::orchestrator {

using InitRecord = std::variant<sandbox::ReadyMessage, sandbox::FailedMessage, sandbox::LockQuestionMessage,
                                sandbox::DoneMessage>;

// nullopt for anything that is not a well-formed record.
std::optional<InitRecord> DecodeInitRecord(std::span<const std::byte> bytes);

// The errno, stage and index of a failed step.
ipc::SetupError ToSetupError(const sandbox::SetupRecord& record);

// Takes over what init says of the main process's end; its times only as far as they lie between START and
// `now_ns`.
void AddDone(const sandbox::DoneMessage& message, int64_t now_ns, Evidence& evidence, RunTimes& times);

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_INIT_RECORDS_H_
