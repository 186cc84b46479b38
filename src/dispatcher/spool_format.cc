#include "dispatcher/spool_format.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "common/status.h"
#include "dispatcher/output_pump.h"

namespace caisson::dispatcher {
namespace {

struct FrameHead {
  uint32_t bytes;  // of what follows
  uint32_t reserved;
  SpoolSizes sizes;
};

constexpr std::array kInOrder = {SpoolPart::kCompileStdout, SpoolPart::kCompileStderr, SpoolPart::kStdout,
                                 SpoolPart::kStderr, SpoolPart::kFiles};

size_t Index(SpoolPart part) { return static_cast<size_t>(part); }

std::string Frame(const google::protobuf::MessageLite& message, const SpoolSizes& sizes) {
  const size_t bytes = message.ByteSizeLong();
  if (bytes > kMaxFrameBytes) {
    return {};
  }
  const FrameHead head{static_cast<uint32_t>(bytes), 0, sizes};
  std::string frame(sizeof head, '\0');
  std::memcpy(frame.data(), &head, sizeof head);
  message.AppendToString(&frame);
  return frame;
}

struct ReadFrame {
  SpoolSizes sizes{};
  std::string body;
  uint64_t end = 0;  // the offset behind it
};

// The frame at `offset`; nothing where none is complete.
absl::StatusOr<std::optional<ReadFrame>> FrameAt(const Spool& spool, const RunId& run, SpoolPart part,
                                                 uint64_t offset, uint64_t size) {
  FrameHead head{};
  if (offset > size || size - offset < sizeof head) {
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const std::string bytes, spool.Read(run, part, offset, sizeof head));
  if (bytes.size() != sizeof head) {
    return std::nullopt;
  }
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.bytes > kMaxFrameBytes) {
    return absl::DataLossError("a frame of the spool is larger than any");
  }
  if (size - offset - sizeof head < head.bytes) {
    return std::nullopt;
  }
  ReadFrame frame;
  frame.sizes = head.sizes;
  ASSIGN_OR_RETURN(frame.body, spool.Read(run, part, offset + sizeof head, head.bytes));
  if (frame.body.size() != head.bytes) {
    return std::nullopt;
  }
  frame.end = offset + sizeof head + head.bytes;
  return frame;
}

absl::StatusOr<std::optional<v1::RunEvent>> NextPiece(const Spool& spool, const RunId& run, uint64_t limit,
                                                      FollowPosition& position) {
  uint64_t& next = position.next.at(Index(SpoolPart::kFiles));
  ASSIGN_OR_RETURN(std::optional<ReadFrame> frame, FrameAt(spool, run, SpoolPart::kFiles, next, limit));
  if (!frame.has_value()) {
    return std::nullopt;
  }
  v1::RunEvent event;
  if (!event.mutable_output_file()->ParseFromString(frame->body)) {
    return absl::DataLossError("a file's piece in the spool is broken");
  }
  next = frame->end;
  return event;
}

absl::StatusOr<std::optional<v1::RunEvent>> NextOutput(const Spool& spool, const RunId& run, SpoolPart part,
                                                       uint64_t limit, FollowPosition& position) {
  uint64_t& next = position.next.at(Index(part));
  if (next >= limit) {
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(std::string data,
                   spool.Read(run, part, next, std::min<uint64_t>(limit - next, kMaxChunkBytes)));
  if (data.empty()) {
    return std::nullopt;
  }
  v1::RunEvent event;
  v1::Output& output = *event.mutable_output();
  const bool compiles = part == SpoolPart::kCompileStdout || part == SpoolPart::kCompileStderr;
  const bool is_stdout = part == SpoolPart::kCompileStdout || part == SpoolPart::kStdout;
  output.set_step(compiles ? "compile" : "run");
  output.set_stream(is_stdout ? v1::STREAM_STDOUT : v1::STREAM_STDERR);
  output.set_offset(next);
  next += data.size();
  output.set_data(std::move(data));
  return event;
}

}  // namespace

std::optional<SpoolPart> PartOf(v1::Stream stream, const std::string& step) {
  const bool compiles = step == "compile";
  if (!compiles && !step.empty() && step != "run") {
    return std::nullopt;
  }
  switch (stream) {
    case v1::STREAM_STDOUT:
      return compiles ? SpoolPart::kCompileStdout : SpoolPart::kStdout;
    case v1::STREAM_STDERR:
      return compiles ? SpoolPart::kCompileStderr : SpoolPart::kStderr;
    default:
      return std::nullopt;
  }
}

std::optional<SpoolPart> PartOf(const v1::Output& output) { return PartOf(output.stream(), output.step()); }

std::string EventFrame(const v1::RunEvent& event, const SpoolSizes& sizes) { return Frame(event, sizes); }

std::string FileFrame(const v1::OutputFile& piece) { return Frame(piece, {}); }

absl::StatusOr<std::optional<v1::RunEvent>> ReadNextEvent(const Spool& spool, const RunId& run,
                                                          FollowPosition& position) {
  ASSIGN_OR_RETURN(const SpoolSizes sizes, spool.Sizes(run));
  uint64_t& events = position.next.at(Index(SpoolPart::kEvents));
  ASSIGN_OR_RETURN(std::optional<ReadFrame> frame,
                   FrameAt(spool, run, SpoolPart::kEvents, events, sizes.at(Index(SpoolPart::kEvents))));
  for (const SpoolPart part : kInOrder) {
    const uint64_t size = sizes.at(Index(part));
    const uint64_t limit = frame.has_value() ? std::min(frame->sizes.at(Index(part)), size) : size;
    ASSIGN_OR_RETURN(std::optional<v1::RunEvent> event, part == SpoolPart::kFiles
                                                            ? NextPiece(spool, run, limit, position)
                                                            : NextOutput(spool, run, part, limit, position));
    if (event.has_value()) {
      return event;
    }
  }
  if (!frame.has_value()) {
    return std::nullopt;
  }
  v1::RunEvent event;
  if (!event.ParseFromString(frame->body)) {
    return absl::DataLossError("an event in the spool is broken");
  }
  events = frame->end;
  return event;
}

}  // namespace caisson::dispatcher
