// Fuzzes what the gate before gRPC reads of HTTP/2: where frames begin, and which calls are open. The first
// byte is the size of the pieces in which the client's bytes arrive, the second gRPC's answers: what is found
// must not depend on the pieces, and nothing may pass that is over a bound. Each byte is a hostile client's.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "dispatcher/call_watch.h"
#include "dispatcher/frame_reader.h"

namespace caisson::dispatcher {
namespace {

constexpr int64_t kMilli = 1'000'000;

struct Seen {
  std::vector<FrameHeader> frames;
  size_t bytes = 0;  // that passed
  bool broken = false;
  bool operator==(const Seen& other) const {
    return bytes == other.bytes && broken == other.broken &&
           std::equal(frames.begin(), frames.end(), other.frames.begin(), other.frames.end(),
                      [](const FrameHeader& a, const FrameHeader& b) {
                        return a.length == b.length && a.type == b.type && a.flags == b.flags &&
                               a.stream == b.stream;
                      });
  }
};

// As the gate does: what has arrived, as far as it goes.
Seen Read(std::string_view input, size_t piece, bool expects_preface) {
  Seen seen;
  FrameReader reader(expects_preface);
  size_t arrived = 0;
  while (arrived < input.size() && !seen.broken) {
    arrived = std::min(input.size(), arrived + piece);
    for (;;) {
      const std::string_view bytes = input.substr(seen.bytes, arrived - seen.bytes);
      const FrameReader::Next next = reader.Look(bytes);
      if (next.found == FrameReader::Found::kNeedsMore) {
        CAISSON_CHECK(bytes.size() < http2::kFrameHeaderBytes);
        break;
      }
      if (next.found == FrameReader::Found::kNotHttp2) {
        seen.broken = true;
        break;
      }
      CAISSON_CHECK(next.bytes > 0 && next.bytes <= bytes.size());
      if (next.found == FrameReader::Found::kFrame) {
        CAISSON_CHECK(reader.preface_seen() && next.bytes == http2::kFrameHeaderBytes);
        CAISSON_CHECK(next.frame.length < 1U << 24U && next.frame.stream < 1U << 31U);
        seen.frames.push_back(next.frame);
        reader.Accept(next.frame);
      } else {
        reader.Skip(next.bytes);
      }
      seen.bytes += next.bytes;
    }
  }
  return seen;
}

// The calls that are open, remembered in full.
class Model {
 public:
  // False if this frame must not pass.
  bool Client(const FrameHeader& frame) {
    if (frame.type == http2::kRstStream) {
      open_.erase(frame.stream);
    }
    if (frame.type != http2::kHeaders && frame.type != http2::kContinuation) {
      return true;
    }
    block_ = (frame.type == http2::kHeaders ? 0 : block_) + frame.length + http2::kFrameHeaderBytes;
    if (frame.type == http2::kHeaders && frame.stream > newest_) {
      newest_ = frame.stream;
      open_.insert(frame.stream);
    }
    return open_.size() <= kMaxCallsOfOneConnection && block_ <= kMaxHeaderBlockBytes;
  }
  void Server(const FrameHeader& frame) {
    if (frame.type == http2::kRstStream || ((frame.type == http2::kHeaders || frame.type == http2::kData) &&
                                            (frame.flags & http2::kEndStream) != 0)) {
      open_.erase(frame.stream);
    }
  }
  size_t open() const { return open_.size(); }

 private:
  std::set<uint32_t> open_;
  uint32_t newest_ = 0;
  size_t block_ = 0;
};

// gRPC answers every `answers`-th frame with the end of that stream; 0: none.
void Watch(const std::vector<FrameHeader>& frames, uint8_t answers) {
  int64_t now = 1'000 * kMilli;
  CallWatch watch(now);
  Model model;
  size_t count = 0;
  for (const FrameHeader& frame : frames) {
    now += kMilli;
    const CallWatch::Verdict verdict = watch.OnClient(frame, now);
    const bool pings = frame.type == http2::kPing || frame.type == http2::kSettings;
    CAISSON_CHECK(verdict != CallWatch::Verdict::kTooManyPings || pings);
    if (verdict == CallWatch::Verdict::kTooManyPings) {
      return;
    }
    const bool may_pass = model.Client(frame);
    CAISSON_CHECK(may_pass ==
                  (verdict == CallWatch::Verdict::kFine || verdict == CallWatch::Verdict::kNeedsLeave));
    if (!may_pass) {
      return;
    }
    if (verdict == CallWatch::Verdict::kNeedsLeave) {
      CAISSON_CHECK(CallWatch::Cost(frame) >= 1);
      watch.Pass(frame);
    }
    CAISSON_CHECK(watch.open_calls() == model.open());
    if (answers != 0 && ++count % answers == 0) {
      const FrameHeader end{0, http2::kHeaders, http2::kEndStream | http2::kEndHeaders, frame.stream};
      watch.OnServer(end);
      model.Server(end);
      CAISSON_CHECK(watch.open_calls() == model.open());
    }
  }
}

void FuzzOne(std::string_view input) {
  if (input.size() < 2) {
    return;
  }
  const size_t piece = std::max<size_t>(1, static_cast<uint8_t>(input[0]));
  const auto answers = static_cast<uint8_t>(input[1]);
  const std::string_view bytes = input.substr(2);
  for (const bool preface : {true, false}) {
    const Seen whole = Read(bytes, std::max<size_t>(1, bytes.size()), preface);
    CAISSON_CHECK(whole == Read(bytes, piece, preface));
    Watch(whole.frames, answers);
  }
}

}  // namespace
}  // namespace caisson::dispatcher

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::dispatcher::FuzzOne(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
