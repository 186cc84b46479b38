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

TEST(RequestJsonTest, DepthAndNumberAreBounded) {
  nlohmann::json json;
  EXPECT_FALSE(
      ParseJson(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']'), json).has_value());
  EXPECT_TRUE(
      ParseJson(std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']'), json).has_value());
  std::string many = "[0";
  for (size_t i = 2; i < kMaxJsonValues; ++i) {
    many += ",0";
  }
  EXPECT_FALSE(ParseJson(many + "]", json).has_value());
  EXPECT_TRUE(ParseJson(many + ",0]", json).has_value());
}

}  // namespace
}  // namespace caisson::gateway
