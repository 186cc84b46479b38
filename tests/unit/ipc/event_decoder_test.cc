#include "ipc/event_decoder.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "common/status.h"

namespace caisson::ipc {
namespace {

using wire::Event;
using wire::EventType;

Event Denial(int32_t syscall_number) {
  return Event{wire::kEventMagic, EventType::kDenial, syscall_number, 0, 1, {1, 2, 3, 4, 5, 6}};
}

std::vector<std::byte> Bytes(const std::vector<Event>& events) {
  const auto bytes = std::as_bytes(std::span(events));
  return {bytes.begin(), bytes.end()};
}

std::string ErrorAfter(const std::function<void(Event&)>& change) {
  Event event = Denial(101);
  change(event);
  EventDecoder decoder;
  std::vector<Event> out;
  const absl::Status status = decoder.Feed(Bytes({event}), out);
  EXPECT_EQ(out.size(), status.ok() ? 1U : 0U);
  return status.ok() ? "accepted" : Message(status);
}

TEST(EventDecoderTest, PiecesOfAnySizeMakeTheSameEvents) {
  const std::vector<std::byte> bytes = Bytes({Denial(1), Denial(2), Denial(3)});
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    EventDecoder decoder;
    std::vector<Event> out;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(decoder.Feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), out).ok());
    }
    ASSERT_EQ(out.size(), 3U) << piece;
    EXPECT_EQ(out[2].syscall_number, 3);
    EXPECT_EQ(out[2].args[5], 6U);
    EXPECT_TRUE(decoder.Finish().ok());
  }
}

TEST(EventDecoderTest, AStreamThatEndsWithinAnEventIsMalformed) {
  EventDecoder decoder;
  std::vector<Event> out;
  const std::vector<std::byte> bytes = Bytes({Denial(1)});
  ASSERT_TRUE(decoder.Feed(std::span(bytes).first(71), out).ok());
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(decoder.Finish().code(), absl::StatusCode::kInvalidArgument);
}

TEST(EventDecoderTest, FieldsAreChecked) {
  EXPECT_EQ(ErrorAfter([](Event&) {}), "accepted");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.syscall_number = -1; }), "accepted");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.syscall_number = 1023; }), "accepted");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.killed = 1; }), "accepted");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.magic = 0; }), "decode event: magic is wrong");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.syscall_number = -2; }),
            "decode event: syscall_number is out of range");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.syscall_number = 1024; }),
            "decode event: syscall_number is out of range");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.killed = 2; }), "decode event: killed is neither 0 nor 1");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.count = 0; }), "decode event: count is 0");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.count = 2; }), "decode event: count of a first denial is not 1");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.type = EventType{0}; }), "decode event: type is unknown");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.type = EventType{6}; }), "decode event: type is unknown");
  EXPECT_EQ(ErrorAfter([](Event& e) { e.type = EventType::kOtherDenials; }),
            "decode event: other denials name a syscall");
}

TEST(EventDecoderTest, TheNumberOfEachKindIsBounded) {
  Event summary = Denial(1);
  summary.type = EventType::kDenialSummary;
  summary.count = 1'000'000;
  Event others = summary;
  others.type = EventType::kOtherDenials;
  others.syscall_number = -1;
  const std::pair<Event, uint32_t> kinds[] = {
      {Denial(1), wire::kMaxLiveDenials}, {summary, wire::kMaxDenialKinds}, {others, 1}};
  EventDecoder all;
  std::vector<Event> everything;
  for (const auto& [event, most] : kinds) {
    EventDecoder decoder;
    std::vector<Event> out;
    EXPECT_TRUE(decoder.Feed(Bytes(std::vector<Event>(most, event)), out).ok());
    EXPECT_FALSE(decoder.Feed(Bytes({event}), out).ok());
    EXPECT_EQ(out.size(), most);
    EXPECT_TRUE(all.Feed(Bytes(std::vector<Event>(most, event)), everything).ok());
  }
  EXPECT_EQ(everything.size(), wire::kMaxLiveDenials + wire::kMaxDenialKinds + 1);
}

TEST(EventDecoderTest, ObservedCallsAreOfLearningRunsOnlyAndBounded) {
  Event call = Denial(41);
  call.type = EventType::kObserved;
  call.count = 7;
  Event others = call;
  others.type = EventType::kOtherObserved;
  others.syscall_number = -1;
  for (const auto& [event, most] : {std::pair{call, wire::kMaxObservedKinds}, std::pair{others, 1U}}) {
    std::vector<Event> out;
    EXPECT_FALSE(EventDecoder().Feed(Bytes({event}), out).ok());
    EXPECT_TRUE(out.empty());
    EventDecoder learning;
    learning.ExpectObserved();
    EXPECT_TRUE(learning.Feed(Bytes(std::vector<Event>(most, event)), out).ok());
    EXPECT_FALSE(learning.Feed(Bytes({event}), out).ok());
    EXPECT_EQ(out.size(), most);
  }
  call.killed = 1;
  others.killed = 1;
  Event without_number = call;
  without_number.killed = 0;
  without_number.syscall_number = -1;
  Event with_number = others;
  with_number.killed = 0;
  with_number.syscall_number = 41;
  for (const Event& wrong : {call, others, without_number, with_number}) {
    EventDecoder learning;
    learning.ExpectObserved();
    std::vector<Event> out;
    EXPECT_FALSE(learning.Feed(Bytes({wrong}), out).ok());
  }
}

TEST(EventDecoderTest, AMalformedRecordBreaksTheDecoderForGood) {
  Event bad = Denial(1);
  bad.magic = 0;
  EventDecoder decoder;
  std::vector<Event> out;
  const absl::Status first = decoder.Feed(Bytes({Denial(1), bad, Denial(2)}), out);
  EXPECT_FALSE(first.ok());
  EXPECT_EQ(out.size(), 1U);
  EXPECT_EQ(decoder.Feed(Bytes({Denial(3)}), out), first);
  EXPECT_EQ(decoder.Finish(), first);
  EXPECT_EQ(out.size(), 1U);
}

}  // namespace
}  // namespace caisson::ipc
