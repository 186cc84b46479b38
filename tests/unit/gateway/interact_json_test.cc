// A client's messages on a WebSocket, and how problems close it.
#include "gateway/interact_json.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/request_json.h"

namespace caisson::gateway {
namespace {

TEST(InteractJsonTest, EveryMessageHasItsForm) {
  struct Case {
    const char* text;
    v1::InteractRequest::MessageCase kind;
  };
  for (const Case& one : {Case{R"({"open":{}})", v1::InteractRequest::kOpen},
                          Case{R"({"file":{"path":"a","data":""}})", v1::InteractRequest::kFile},
                          Case{R"({"stdin":"YQ=="})", v1::InteractRequest::kStdin},
                          Case{R"({"stdin_text":"a"})", v1::InteractRequest::kStdin},
                          Case{R"({"eof":{}})", v1::InteractRequest::kEof},
                          Case{R"({"signal":{"name":"INT"}})", v1::InteractRequest::kSignal},
                          Case{R"({"resize":{"rows":1,"columns":2}})", v1::InteractRequest::kResize},
                          Case{R"({"cancel":{}})", v1::InteractRequest::kCancel},
                          Case{"{}", v1::InteractRequest::MESSAGE_NOT_SET}}) {
    v1::InteractRequest message;
    EXPECT_FALSE(ParseInteractRequest(one.text, message).has_value()) << one.text;
    EXPECT_EQ(message.message_case(), one.kind) << one.text;
  }
}

TEST(InteractJsonTest, TextBecomesBytesWhereverItMayStand) {
  v1::InteractRequest message;
  ASSERT_FALSE(
      ParseInteractRequest(
          R"({"open":{"request":{"stdin_text":"é","files":[{"path":"a","text":"b"}]},"terminal":{"rows":3}}})",
          message)
          .has_value());
  EXPECT_EQ(message.open().request().stdin(), "\xc3\xa9");
  EXPECT_EQ(message.open().request().files(0).content(), "b");
  EXPECT_EQ(message.open().terminal().rows(), 3U);
  v1::InteractRequest file;
  ASSERT_FALSE(ParseInteractRequest(R"({"file":{"path":"a","text":"b","last":true}})", file).has_value());
  EXPECT_EQ(file.file().data(), "b");
}

TEST(InteractJsonTest, WhatIsWrongIsNamed) {
  struct Case {
    const char* text;
    const char* field;
  };
  for (const Case& one :
       {Case{R"({"open":{"request":{"files":[{"text":1}]}}})", "open.request.files[0].text"},
        Case{R"({"open":{"request":{"stdin_text":1}}})", "open.request.stdin_text"},
        Case{R"({"file":{"text":"a","data":""}})", "file.text"},
        Case{R"({"stdin":"a","stdin_text":"a"})", "stdin_text"}, Case{R"({"shout":{}})", "shout"}}) {
    v1::InteractRequest message;
    const auto wrong = ParseInteractRequest(one.text, message);
    ASSERT_TRUE(wrong.has_value()) << one.text;
    EXPECT_EQ(wrong->reason, "INVALID_REQUEST");
    ASSERT_FALSE(wrong->violations.empty()) << one.text;
    EXPECT_EQ(wrong->violations[0].field, one.field);
  }
  for (const char* text : {R"({"eof":{},"cancel":{}})", R"({"open":1})", R"({"open":{"request":[]}})"}) {
    v1::InteractRequest message;
    EXPECT_TRUE(ParseInteractRequest(text, message).has_value()) << text;
  }
}

TEST(InteractJsonTest, BinaryMessagesAreInputInPieces) {
  JsonConversation conversation("r");
  std::vector<v1::InteractRequest> messages;
  EXPECT_FALSE(conversation.Hear({std::string(100'000, 'x'), false}, messages).has_value());
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].stdin().size(), 65'536U);
  EXPECT_EQ(messages[1].stdin().size(), 100'000U - 65'536U);
}

TEST(InteractJsonTest, ProblemsCloseByTheirKind) {
  EXPECT_EQ(CloseCodeOf(Refuse(Refusal::kStopping, "")), close_code::kGoingAway);
  EXPECT_EQ(CloseCodeOf(Refuse(Refusal::kMalformedJson, "")), close_code::kBadPayload);
  EXPECT_EQ(CloseCodeOf(Refuse(Refusal::kInvalidRequest, "")), close_code::kPolicy);
  EXPECT_EQ(CloseCodeOf(Refuse(Refusal::kDaemonUnreachable, "")), close_code::kInternal);
  EXPECT_EQ(CloseCodeOf(FromStatus({grpc::StatusCode::NOT_FOUND, ""})), close_code::kPolicy);
  EXPECT_EQ(CloseCodeOf(FromStatus({grpc::StatusCode::INTERNAL, ""})), close_code::kInternal);
}

}  // namespace
}  // namespace caisson::gateway
