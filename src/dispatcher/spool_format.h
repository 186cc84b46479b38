// How a run's events lie in its spool, and how they come out of it again: output as it was written, by
// stream; every other event as a frame that says how much of everything came before it, so that whoever reads
// later gets them in an order that a client of the run could have seen. Pure but for the spool's reads; the
// spool is our own writing, and is read as if it were not: a crash may have cut it anywhere.
#ifndef CAISSON_DISPATCHER_SPOOL_FORMAT_H_
#define CAISSON_DISPATCHER_SPOOL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "dispatcher/run_name.h"
#include "dispatcher/spool.h"

namespace caisson::dispatcher {

// What a run's spool may come to beside its output: `started` twice, 130 denials, step_finished twice.
inline constexpr uint64_t kEventsRoomBytes = 256UL * 1024;
// Of a frame: an output_file piece with its path is the largest.
inline constexpr size_t kMaxFrameBytes = 128UL * 1024;

// The part that an output event's bytes go to; nothing for an event without a stream or step.
std::optional<SpoolPart> PartOf(const v1::Output& output);
// The part of a stream of a step ("compile" or "run"; empty: "run").
std::optional<SpoolPart> PartOf(v1::Stream stream, const std::string& step);

// `event` as a frame of kEvents; `sizes`: what was written before it. Empty: larger than a frame may be.
std::string EventFrame(const v1::RunEvent& event, const SpoolSizes& sizes);
// A piece of a file as a frame of kFiles.
std::string FileFrame(const v1::OutputFile& piece);

// How far a reader has come: the offset of the next byte in each part.
struct FollowPosition {
  SpoolSizes next{};
};

// The event after `position`, which moves behind it; nothing when there is no more now. Output events have at
// most 64 KiB and the offset at which they begin.
absl::StatusOr<std::optional<v1::RunEvent>> ReadNextEvent(const Spool& spool, const RunId& run,
                                                          FollowPosition& position);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SPOOL_FORMAT_H_
