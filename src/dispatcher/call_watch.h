// Which calls of one connection are open, told by the frames of both directions, and what of a client's
// frames no client needs. Pure. Untrusted: the client's frames.
#ifndef CAISSON_DISPATCHER_CALL_WATCH_H_
#define CAISSON_DISPATCHER_CALL_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "dispatcher/call_rate.h"
#include "dispatcher/frame_reader.h"

namespace caisson::dispatcher {

// The bounds of one connection (docs/specification.md).
// gRPC refuses metadata of more than 16 KiB with a friendly status. It reads a block to its end, however long
// it is, and keeps a note of every header too many, so it must not get to see an endless one.
inline constexpr size_t kMaxHeaderBlockBytes = 32UL * 1024;
inline constexpr size_t kMaxCallsOfOneConnection = 2'048;
// Of pings and settings together. gRPC's own clients send ten pings a second at most, and settings once.
inline constexpr uint32_t kPingsPerSecond = 50;
inline constexpr uint32_t kPingsAtOnce = 100;

class CallWatch {
 public:
  enum class Verdict {
    kFine,
    kNeedsLeave,      // headers: fine, if they may be worked on now. Then tell by Pass()
    kHeadersTooLong,  // the connection has to end
    kTooManyCalls,    // the same
    kTooManyPings,    // the same
  };

  explicit CallWatch(int64_t now_ns) : pings_(kPingsPerSecond, kPingsAtOnce, now_ns) {}

  // A frame of the client's begins.
  Verdict OnClient(const FrameHeader& frame, int64_t now_ns);
  // What the leave for a frame of headers costs: the work for a call, and more for long ones, a byte of which
  // can stand for a header of any length.
  static uint32_t Cost(const FrameHeader& frame) { return 1 + frame.length / 256; }
  // The frame for which OnClient said kNeedsLeave is passed on.
  void Pass(const FrameHeader& frame);
  void OnServer(const FrameHeader& frame);

  bool had_calls() const { return newest_ != 0; }
  size_t open_calls() const { return open_.size(); }
  // A header block has begun and its end has not come.
  bool in_headers() const { return in_headers_; }

 private:
  bool Opens(const FrameHeader& frame) const;

  CallRate pings_;
  std::unordered_set<uint32_t> open_;
  uint32_t newest_ = 0;
  size_t block_bytes_ = 0;
  bool in_headers_ = false;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_CALL_WATCH_H_
