// RunEvents as server-sent events and as messages of a WebSocket, version 1 of their schema: docs/http.md has
// it. One writer for each stream of events. Pure. Untrusted: the program's output and the names of its files;
// the daemon's messages are trusted to be what their types say.
#ifndef CAISSON_GATEWAY_EVENT_JSON_H_
#define CAISSON_GATEWAY_EVENT_JSON_H_

#include <google/protobuf/message.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "caisson/v1/run.pb.h"
#include "gateway/text_joiner.h"

namespace caisson::gateway {

inline constexpr char kEventSchema[] = "caisson.run-events.v1";

// protobuf's JSON mapping with the proto's names, every field that is not optional; 64-bit numbers are
// strings. Empty where a message has no form in JSON (a time out of range).
std::string MessageJson(const google::protobuf::Message& message);

// Where a follower is: how many bytes it has of each stream. The id of its events, which a browser sends back
// as Last-Event-ID when it comes again.
struct Offsets {
  uint64_t compile_stdout = 0;
  uint64_t compile_stderr = 0;
  uint64_t run_stdout = 0;
  uint64_t run_stderr = 0;

  std::string Text() const;  // "0-0.6-0": compile's two, run's two
  static std::optional<Offsets> Parse(std::string_view text);
};

inline constexpr char kLastId[] = "end";  // the id of `finished`

enum class Framing : uint8_t {
  kEventStream,  // server-sent events: "event: …", "data: …", an empty line
  kResumable,    // the same with ids
  kMessages,     // {"event":…,"data":…}
};

// Events as they go out, each whole and framed.
using EventTexts = std::vector<std::string>;

// One after the other, where the framing has ends of its own.
std::string Joined(const EventTexts& events);

class EventWriter {
 public:
  // Of a follower, who begins after `from`; others begin at 0.
  explicit EventWriter(Framing framing, const Offsets& from = Offsets());

  // The first event of every stream, before any other.
  std::string Open(std::string_view request_id);
  // What there is to write for `event`: mostly one event, none where all of it is held back, several where
  // pieces that were held back come before it.
  EventTexts Write(const v1::RunEvent& event);
  // The last event of a stream that broke. `problem`: a JSON object in one line.
  EventTexts Broken(std::string_view problem);

 private:
  struct Channel {
    const char* step;
    v1::Stream stream;
    TextJoiner joiner;
    uint64_t offset;  // of the first byte that was not written yet
  };

  Channel* Find(const v1::Output& output);
  void WriteOutput(const v1::Output& output, EventTexts& out);
  void WriteFile(const v1::OutputFile& file, EventTexts& out);
  void OutputEvent(Channel& channel, const TextJoiner::Piece& piece, EventTexts& out);
  void FlushAll(EventTexts& out);
  std::string Event(std::string_view name, std::string_view body);
  Offsets Now() const;

  const Framing framing_;
  bool finished_ = false;
  uint64_t sequence_ = 0;
  std::array<Channel, 4> channels_;
  TextJoiner file_;
};

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_EVENT_JSON_H_
