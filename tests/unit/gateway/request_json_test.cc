// Bodies that are requests, and bodies that are none.
#include "gateway/request_json.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::gateway {
namespace {

TEST(RequestJsonTest, TextBecomesBytes) {
  v1::ExecuteRequest request;
  const auto wrong = ParseExecuteRequest(
      R"({"profile":"python","files":[{"path":"a","text":"é"},{"path":"b","content":"AP8="}],"stdin_text":"in","limits":{"pids":"7"}})",
      request);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(request.files(0).content(), "\xc3\xa9");
  EXPECT_EQ(request.files(1).content(), std::string("\0\xff", 2));
  EXPECT_EQ(request.stdin(), "in");
  EXPECT_EQ(request.limits().pids(), 7U);
}

TEST(RequestJsonTest, WhatIsWrongIsNamed) {
  struct Case {
    const char* text;
    const char* reason;
    const char* field;
  };
  for (const Case& one :
       {Case{R"({"files":[{"path":1}]})", "INVALID_REQUEST", nullptr},
        Case{R"({"files":[{"pth":"a"}]})", "INVALID_REQUEST", "files[0].pth"},
        Case{R"({"nothing":1})", "INVALID_REQUEST", "nothing"},
        Case{R"({"stdin_text":[]})", "INVALID_REQUEST", "stdin_text"},
        Case{R"({"stdin":"!"})", "INVALID_REQUEST", "stdin"},
        Case{R"({"files":[{},{"content":"!"}]})", "INVALID_REQUEST", "files[1].content"},
        Case{R"({"files":[{"text":"","content":""}]})", "INVALID_REQUEST", "files[0].text"},
        Case{R"({"files":[null]})", "INVALID_REQUEST", "files[0]"},
        Case{R"({"limits":{"pids":1.5}})", "INVALID_REQUEST", "limits.pids"},
        Case{R"({"profile":"a")", "MALFORMED_JSON", nullptr}, Case{"null", "MALFORMED_JSON", nullptr},
        Case{R"({"a":{"b":1,"b":2}})", "MALFORMED_JSON", nullptr}}) {
    v1::ExecuteRequest request;
    const auto wrong = ParseExecuteRequest(one.text, request);
    ASSERT_TRUE(wrong.has_value()) << one.text;
    EXPECT_EQ(wrong->reason, one.reason) << one.text;
    EXPECT_FALSE(wrong->detail.empty());
    if (one.field != nullptr) {
      ASSERT_FALSE(wrong->violations.empty()) << one.text;
      EXPECT_EQ(wrong->violations[0].field, one.field) << one.text;
    }
  }
}

TEST(RequestJsonTest, Base64IsOfEitherAlphabet) {
  for (const char* text : {R"({"stdin":"-_8="})", R"({"stdin":"+/8="})", R"({"stdin":"+/8"})"}) {
    v1::ExecuteRequest request;
    ASSERT_FALSE(ParseExecuteRequest(text, request).has_value()) << text;
    EXPECT_EQ(request.stdin(), "\xfb\xff") << text;
  }
}

TEST(RequestJsonTest, BytesOfEachFileAreItsOwn) {
  v1::ExecuteRequest request;
  const auto wrong = ParseExecuteRequest(
      R"({"files":[{"path":"none"},{"path":"text","text":"t"},{"path":"null","content":null},{"path":"bytes","content":"Yg=="}]})",
      request);
  ASSERT_FALSE(wrong.has_value());
  ASSERT_EQ(request.files_size(), 4);
  EXPECT_EQ(request.files(0).content() + request.files(2).content(), "");
  EXPECT_EQ(request.files(1).content(), "t");
  EXPECT_EQ(request.files(3).content(), "b");
}

TEST(RequestJsonTest, MessagesOfInteractHaveTheirBytes) {
  v1::InteractRequest message;
  ASSERT_FALSE(ParseInteractRequest(R"({"stdin_text":""})", message).has_value());
  EXPECT_TRUE(message.has_stdin());
  ASSERT_FALSE(ParseInteractRequest(R"({"file":{"path":"a","data":"Yg=="}})", message).has_value());
  EXPECT_EQ(message.file().data(), "b");
  ASSERT_FALSE(ParseInteractRequest(R"({"open":{"request":{"files":[{"path":"a","text":"x"}]}}})", message)
                   .has_value());
  EXPECT_EQ(message.open().request().files(0).content(), "x");
  ASSERT_FALSE(ParseInteractRequest(R"({"open":{}})", message).has_value());
  EXPECT_FALSE(message.open().has_request());
}

TEST(RequestJsonTest, AMessageOfTwoKindsIsRefused) {
  for (const char* text :
       {R"({"stdin":"YQ==","eof":{}})", R"({"stdin_text":"a","file":{"path":"a","text":"b"}})"}) {
    v1::InteractRequest message;
    EXPECT_TRUE(ParseInteractRequest(text, message).has_value()) << text;
  }
}

}  // namespace
}  // namespace caisson::gateway
