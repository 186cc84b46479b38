// The frames of a connection as the gate sees them: where they begin, which calls they open and end, and when
// there are too many of them.
#include "dispatcher/call_watch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dispatcher/call_rate.h"
#include "dispatcher/http2_bytes.h"

namespace caisson::dispatcher {
namespace {

using Found = FrameReader::Found;
using Verdict = CallWatch::Verdict;

// The frames in `bytes`, which arrive in pieces of `piece` bytes.
std::vector<FrameHeader> FramesOf(FrameReader& reader, const std::string& bytes, size_t piece) {
  std::vector<FrameHeader> frames;
  std::string waiting;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    waiting += bytes.substr(at, piece);
    for (FrameReader::Next next = reader.Look(waiting); next.found != Found::kNeedsMore;
         next = reader.Look(waiting)) {
      EXPECT_NE(next.found, Found::kNotHttp2);
      if (next.found == Found::kFrame) {
        frames.push_back(next.frame);
        reader.Accept(next.frame);
      } else {
        reader.Skip(next.bytes);
      }
      waiting.erase(0, next.bytes);
    }
  }
  EXPECT_TRUE(waiting.empty());
  return frames;
}

TEST(FrameReaderTest, FramesAreFoundHoweverTheyAreCut) {
  const std::string bytes = std::string(http2::kPreface) + Frame(4, 0, 0, "") +
                            Frame(http2::kHeaders, 5, 7, std::string(300, 'x')) +
                            Frame(0, 1, 0x80000007U, "abc");
  for (const size_t piece : {1U, 2U, 8U, 9U, 10U, 24U, 1'000U}) {
    FrameReader reader(true);
    const std::vector<FrameHeader> frames = FramesOf(reader, bytes, piece);
    ASSERT_EQ(frames.size(), 3U) << piece;
    EXPECT_TRUE(reader.preface_seen());
    EXPECT_EQ(frames[1].length, 300U);
    EXPECT_EQ(frames[1].type, http2::kHeaders);
    EXPECT_EQ(frames[1].flags, 5);
    EXPECT_EQ(frames[1].stream, 7U);
    EXPECT_EQ(frames[2].stream, 7U);  // without the reserved bit
  }
}

TEST(FrameReaderTest, AnotherProtocolIsNoPreface) {
  FrameReader reader(true);
  EXPECT_EQ(reader.Look("GET / HTTP/1.1\r\n").found, Found::kNotHttp2);
  EXPECT_EQ(reader.Look("PRI * HTTP/1").found, Found::kNotHttp2);
  EXPECT_EQ(reader.Look("PRI * HT").found, Found::kBytes);
}

FrameHeader Headers(uint32_t stream, uint32_t length = 100, uint8_t flags = http2::kEndHeaders) {
  return {length, http2::kHeaders, flags, stream};
}

void Open(CallWatch& watch, uint32_t stream) {
  ASSERT_EQ(watch.OnClient(Headers(stream), 0), Verdict::kNeedsLeave);
  watch.Pass(Headers(stream));
}

TEST(CallWatchTest, CallsEndByTheServersLastFrameAndByEitherSidesReset) {
  CallWatch watch(0);
  EXPECT_FALSE(watch.had_calls());
  for (const uint32_t stream : {1U, 3U, 5U, 7U}) {
    Open(watch, stream);
  }
  EXPECT_EQ(watch.open_calls(), 4U);
  watch.OnServer({10, http2::kData, 0, 1});
  watch.OnServer({10, 4, http2::kEndStream, 1});  // an acknowledgement of settings has the same bit
  EXPECT_EQ(watch.open_calls(), 4U);
  watch.OnServer({10, http2::kHeaders, http2::kEndStream | http2::kEndHeaders, 1});
  watch.OnServer({10, http2::kData, http2::kEndStream, 3});
  watch.OnServer({4, http2::kRstStream, 0, 5});
  EXPECT_EQ(watch.open_calls(), 1U);
  EXPECT_EQ(watch.OnClient({4, http2::kRstStream, 0, 7}, 0), Verdict::kFine);
  EXPECT_EQ(watch.open_calls(), 0U);
  EXPECT_TRUE(watch.had_calls());
  EXPECT_EQ(watch.OnClient({10, http2::kData, http2::kEndStream, 9}, 0), Verdict::kFine);
}

TEST(CallWatchTest, TrailersOpenNothing) {
  CallWatch watch(0);
  Open(watch, 1);
  EXPECT_EQ(watch.OnClient(Headers(1), 0), Verdict::kNeedsLeave);
  watch.Pass(Headers(1));
  EXPECT_EQ(watch.open_calls(), 1U);
}

TEST(CallWatchTest, AHeaderBlockEndsAndHasABound) {
  CallWatch watch(0);
  watch.Pass(Headers(1, 16'000, 0));
  EXPECT_TRUE(watch.in_headers());
  const FrameHeader more{16'000, http2::kContinuation, 0, 1};
  ASSERT_EQ(watch.OnClient(more, 0), Verdict::kNeedsLeave);
  watch.Pass(more);
  EXPECT_EQ(watch.OnClient(more, 0), Verdict::kHeadersTooLong);
  const FrameHeader end{10, http2::kContinuation, http2::kEndHeaders, 1};
  ASSERT_EQ(watch.OnClient(end, 0), Verdict::kNeedsLeave);
  watch.Pass(end);
  EXPECT_FALSE(watch.in_headers());
  EXPECT_EQ(watch.OnClient(Headers(3, 16'000, 0), 0), Verdict::kNeedsLeave);  // the next block counts from 0
}

TEST(CallWatchTest, EmptyContinuationsHaveABoundToo) {
  CallWatch watch(0);
  watch.Pass(Headers(1, 0, 0));
  const FrameHeader empty{0, http2::kContinuation, 0, 1};
  size_t passed = 0;
  for (; watch.OnClient(empty, 0) == Verdict::kNeedsLeave; ++passed) {
    watch.Pass(empty);
  }
  EXPECT_EQ(watch.OnClient(empty, 0), Verdict::kHeadersTooLong);
  EXPECT_EQ(passed, kMaxHeaderBlockBytes / http2::kFrameHeaderBytes - 1);
}

TEST(CallWatchTest, CallsAtOnceHaveABound) {
  CallWatch watch(0);
  uint32_t stream = 1;
  for (size_t i = 0; i < kMaxCallsOfOneConnection; ++i, stream += 2) {
    Open(watch, stream);
  }
  EXPECT_EQ(watch.OnClient(Headers(stream), 0), Verdict::kTooManyCalls);
  watch.OnServer({4, http2::kRstStream, 0, 1});
  EXPECT_EQ(watch.OnClient(Headers(stream), 0), Verdict::kNeedsLeave);
}

TEST(CallWatchTest, PingsAndSettingsHaveARateAndAnswersToThemNone) {
  CallWatch watch(0);
  const FrameHeader ping{8, http2::kPing, 0, 0};
  const FrameHeader settings{6, http2::kSettings, 0, 0};
  for (uint32_t i = 0; i < kPingsAtOnce; ++i) {
    EXPECT_EQ(watch.OnClient(i % 2 == 0 ? ping : settings, 0), Verdict::kFine) << i;
  }
  EXPECT_EQ(watch.OnClient(ping, 0), Verdict::kTooManyPings);
  EXPECT_EQ(watch.OnClient(settings, 0), Verdict::kTooManyPings);
  EXPECT_EQ(watch.OnClient({8, http2::kPing, http2::kAck, 0}, 0), Verdict::kFine);
  EXPECT_EQ(watch.OnClient(ping, 1'000 * kNanosPerMilli), Verdict::kFine);
}

TEST(CallWatchTest, LongHeadersCostMore) {
  EXPECT_EQ(CallWatch::Cost(Headers(1, 200)), 1U);
  EXPECT_EQ(CallWatch::Cost(Headers(1, 16'384)), 65U);
}

constexpr int64_t kSecond = 1'000 * kNanosPerMilli;

TEST(CallRateTest, ABurstThenTheRate) {
  CallRate rate(100, 10, 0);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(rate.Take(1, 0)) << i;
  }
  EXPECT_FALSE(rate.Take(1, 0));
  EXPECT_EQ(rate.NextNs(), kSecond / 100);
  EXPECT_FALSE(rate.Take(1, kSecond / 100 - 1));
  EXPECT_TRUE(rate.Take(1, kSecond / 100));
  EXPECT_FALSE(rate.Take(5, 5 * kSecond / 100));
  EXPECT_TRUE(rate.Take(5, 6 * kSecond / 100));
}

TEST(CallRateTest, TokensDoNotGatherBeyondTheBurst) {
  CallRate rate(100, 10, 0);
  int taken = 0;
  while (rate.Take(1, 1'000 * kSecond)) {
    ++taken;
  }
  EXPECT_EQ(taken, 10);
}

}  // namespace
}  // namespace caisson::dispatcher
