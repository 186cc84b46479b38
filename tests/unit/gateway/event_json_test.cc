// Events as they are written, and the ids by which a follower goes on.
#include "gateway/event_json.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::gateway {
namespace {

v1::RunEvent Output(uint64_t offset, const std::string& data) {
  v1::RunEvent event;
  event.mutable_output()->set_stream(v1::STREAM_STDOUT);
  event.mutable_output()->set_step("run");
  event.mutable_output()->set_offset(offset);
  event.mutable_output()->set_data(data);
  return event;
}

TEST(EventJsonTest, IdsCountOnlyWhatWasWritten) {
  EventWriter writer(Framing::kResumable);
  EXPECT_NE(Joined(writer.Write(Output(0, "a\xc3"))).find("id: 0-0.1-0\n"), std::string::npos);
  const std::string second = Joined(writer.Write(Output(2, "\xa9")));
  EXPECT_NE(second.find("id: 0-0.3-0\n"), std::string::npos);
  EXPECT_NE(second.find("\"offset\":\"1\",\"text\":\"\xc3\xa9\""), std::string::npos);
  v1::RunEvent last;
  last.mutable_finished();
  EXPECT_NE(Joined(writer.Write(last)).find("id: end\n"), std::string::npos);
}

TEST(EventJsonTest, WhatIsHeldBackComesBeforeTheEnd) {
  EventWriter writer(Framing::kEventStream);
  EXPECT_TRUE(writer.Write(Output(0, "\xc3")).empty());
  v1::RunEvent last;
  last.mutable_step_finished()->set_step("run");
  const std::string text = Joined(writer.Write(last));
  EXPECT_LT(text.find("\"base64\":\"ww==\""), text.find("event: step_finished"));
}

TEST(EventJsonTest, AnEventNeverBreaksItsLine) {
  EventWriter writer(Framing::kEventStream);
  const std::string text = Joined(writer.Write(Output(0, "\n\ndata: {}\r\nevent: x\n\n")));
  EXPECT_EQ(text.find("\n\n"), text.size() - 2);
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(EventJsonTest, MessagesHaveTheSameDataAndEachItsOwn) {
  EventWriter writer(Framing::kMessages);
  EXPECT_EQ(writer.Open("r-1"),
            R"({"event":"open","data":{"sequence":1,"schema":"caisson.run-events.v1","request_id":"r-1"}})");
  EXPECT_EQ(Joined(writer.Write(Output(0, "a\n\xc3"))),
            R"({"event":"output","data":{"sequence":2,"stream":"STREAM_STDOUT","step":"run",)"
            R"("offset":"0","text":"a\n"}})");
  const EventTexts last = writer.Broken("{\"status\":500}\n");
  ASSERT_EQ(last.size(), 2U);
  EXPECT_NE(last[0].find(R"("base64":"ww==")"), std::string::npos);
  EXPECT_EQ(last[1], R"({"event":"error","data":{"sequence":4,"status":500}})");
}

TEST(EventJsonTest, OnlyIdsOfOursAreRead) {
  EXPECT_EQ(Offsets::Parse("1-2.3-4")->run_stderr, 4U);
  for (const char* text :
       {"", "1-2.3", "1-2.3-4x", "1-2.3-99999999999999999999", "-1-2.3-4", "1.2-3.4", "end"}) {
    EXPECT_FALSE(Offsets::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace caisson::gateway
