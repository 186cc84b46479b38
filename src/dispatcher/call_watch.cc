#include "dispatcher/call_watch.h"

namespace caisson::dispatcher {

CallWatch::Verdict CallWatch::OnClient(const FrameHeader& frame, int64_t now_ns) {
  if (frame.type == http2::kPing || frame.type == http2::kSettings) {
    return (frame.flags & http2::kAck) != 0 || pings_.Take(1, now_ns) ? Verdict::kFine
                                                                      : Verdict::kTooManyPings;
  }
  if (frame.type == http2::kRstStream) {
    open_.erase(frame.stream);
    return Verdict::kFine;
  }
  if (frame.type != http2::kHeaders && frame.type != http2::kContinuation) {
    return Verdict::kFine;
  }
  if (Opens(frame) && open_.size() >= kMaxCallsOfOneConnection) {
    return Verdict::kTooManyCalls;
  }
  const size_t before = frame.type == http2::kContinuation ? block_bytes_ : 0;
  // The header of a frame counts, or empty ones would cost nothing.
  return before + frame.length + http2::kFrameHeaderBytes > kMaxHeaderBlockBytes ? Verdict::kHeadersTooLong
                                                                                 : Verdict::kNeedsLeave;
}

// Headers of a call that is open already are trailers.
bool CallWatch::Opens(const FrameHeader& frame) const {
  return frame.type == http2::kHeaders && frame.stream > newest_;
}

void CallWatch::Pass(const FrameHeader& frame) {
  block_bytes_ =
      (frame.type == http2::kContinuation ? block_bytes_ : 0) + frame.length + http2::kFrameHeaderBytes;
  in_headers_ = (frame.flags & http2::kEndHeaders) == 0;
  if (Opens(frame)) {
    newest_ = frame.stream;
    open_.insert(frame.stream);
  }
}

void CallWatch::OnServer(const FrameHeader& frame) {
  const bool ends =
      frame.type == http2::kRstStream || ((frame.type == http2::kHeaders || frame.type == http2::kData) &&
                                          (frame.flags & http2::kEndStream) != 0);
  if (ends) {
    open_.erase(frame.stream);
  }
}

}  // namespace caisson::dispatcher
