// What is JSON within the bounds, and what is not.
#include "gateway/json_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::gateway {
namespace {

std::string ReasonOf(std::string_view text) {
  nlohmann::json json;
  const auto wrong = ParseJson(text, json);
  return wrong ? wrong->detail : "";
}

TEST(JsonReaderTest, ValuesAreWhatTheTextSays) {
  for (const char* text : {"null", "true", "-1", "1.5", "18446744073709551615", R"("\u00e9")", "[]", "{}",
                           R"([[1,{"a":[{"b":null},[2,[3]]],"c":"d"},{}],"e",[[]]])"}) {
    nlohmann::json json;
    EXPECT_FALSE(ParseJson(text, json).has_value()) << text;
    EXPECT_EQ(json, nlohmann::json::parse(text)) << text;
  }
}

TEST(JsonReaderTest, WhatIsNoJsonIsRefusedWithTheByte) {
  EXPECT_EQ(ReasonOf(R"({"a":1)"), "the body is not JSON: byte 7 cannot stand there");
  for (const char* text : {"", "[1,]", "nul", "1e999", "\"\xff\"", "[1]x", "{1:2}", "\"\\ud800\""}) {
    EXPECT_NE(ReasonOf(text), "") << text;
  }
}

TEST(JsonReaderTest, ANameTwiceInOneObjectIsRefused) {
  EXPECT_EQ(ReasonOf(R"({"a":{"b":1,"b":2}})"), "the name \"b\" stands twice in one object");
  EXPECT_EQ(ReasonOf(R"({"a":{"b":1},"b":{"b":2}})"), "");
}

TEST(JsonReaderTest, DepthAndNumberAreBounded) {
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
