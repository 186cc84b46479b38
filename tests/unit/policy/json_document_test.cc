#include "policy/json_document.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status.h"

namespace caisson::policy {
namespace {

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<JsonValue> parsed = ParseJson(text, "f.json");
  return parsed.ok() ? std::string() : Message(parsed.status());
}

TEST(JsonDocumentTest, EveryValueKnowsItsLine) {
  const auto parsed = ParseJson(
      "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    \"x\",\n    12\n  ],\n\n  \"c\": {\"d\": null}\n}\n", "f");
  ASSERT_TRUE(parsed.ok()) << Message(parsed.status());
  ASSERT_EQ(parsed->members.size(), 3U);
  EXPECT_EQ(parsed->line, 1);
  EXPECT_EQ(parsed->members[0].name, "a");
  EXPECT_EQ(parsed->members[0].value.line, 2);
  EXPECT_EQ(parsed->members[0].value.number, 1U);
  const JsonValue& array = parsed->members[1].value;
  EXPECT_EQ(array.line, 3);
  ASSERT_EQ(array.items.size(), 3U);
  EXPECT_EQ(array.items[0].line, 4);
  EXPECT_TRUE(array.items[0].boolean);
  EXPECT_EQ(array.items[1].line, 5);
  // The lexer must look past a number's end, which is the next line here.
  EXPECT_EQ(array.items[2].line, 6);
  EXPECT_EQ(parsed->members[2].value.line, 9);
  EXPECT_EQ(parsed->members[2].value.members[0].value.type, JsonValue::Type::kNull);
}

TEST(JsonDocumentTest, KindsOfNumbersAreToldApart) {
  const auto parsed = ParseJson("[18446744073709551615, -1, 1.5, 18446744073709551616]", "f");
  ASSERT_TRUE(parsed.ok()) << Message(parsed.status());
  EXPECT_EQ(parsed->items[0].type, JsonValue::Type::kUnsigned);
  EXPECT_EQ(parsed->items[0].number, 18446744073709551615U);
  EXPECT_EQ(parsed->items[1].type, JsonValue::Type::kSigned);
  EXPECT_EQ(parsed->items[2].type, JsonValue::Type::kFloat);
  EXPECT_EQ(parsed->items[3].type, JsonValue::Type::kFloat);
}

TEST(JsonDocumentTest, DuplicateKeyIsAnErrorWithItsLine) {
  EXPECT_EQ(ErrorOf("{\n\"a\": 1,\n\"b\": 2,\n\"a\": 3\n}"), "f.json:4: duplicate key 'a'");
}

TEST(JsonDocumentTest, NothingIsQuotedWhereThatIsAskedFor) {
  const auto error_of = [](const std::string& text) {
    return Message(ParseJson(text, "f", Quotes::kNothing).status());
  };
  EXPECT_EQ(error_of("{\n\"a\": 1,\n\"a\": 3\n}"), "f:3: duplicate key");
  for (const char* text :
       {"{\"secret\" 1}", "[\"secret]", "[secret]", "[\"secret\\x\"]", "[1e999]", "[1] \"secret\""}) {
    EXPECT_EQ(error_of(text), "f:1: is not JSON") << text;
  }
}

TEST(JsonDocumentTest, TheSameKeyInTwoObjectsIsFine) {
  EXPECT_EQ(ErrorOf("{\"a\": {\"a\": {\"a\": 1}}}"), "");
}

TEST(JsonDocumentTest, DuplicateKeyAfterANestedObjectIsSeen) {
  EXPECT_EQ(ErrorOf("{\"a\": {\"b\": 1},\n \"a\": 2}"), "f.json:2: duplicate key 'a'");
}

TEST(JsonDocumentTest, SyntaxErrorsNameTheirLine) {
  EXPECT_TRUE(ErrorOf("{\n\"a\": 1\n\"b\": 2}").starts_with("f.json:3: syntax error"))
      << ErrorOf("{\n\"a\": 1\n\"b\": 2}");
  EXPECT_TRUE(ErrorOf("{\n\"a\": \"x\n\"}").starts_with("f.json:2: syntax error"))
      << ErrorOf("{\n\"a\": \"x\n\"}");
  EXPECT_TRUE(ErrorOf("").starts_with("f.json:1: syntax error"));
  EXPECT_TRUE(ErrorOf("{} {}").starts_with("f.json:1: syntax error"));
  EXPECT_TRUE(ErrorOf("[1,]").starts_with("f.json:1: syntax error"));
  EXPECT_TRUE(ErrorOf("// no comments\n1").starts_with("f.json:1: syntax error"));
  EXPECT_TRUE(ErrorOf("\"\xff\"").starts_with("f.json:1: syntax error"));
}

TEST(JsonDocumentTest, NumbersBeyondDoubleAreErrorsNotExceptions) {
  EXPECT_TRUE(ErrorOf("[1e999]").starts_with("f.json:1: ")) << ErrorOf("[1e999]");
}

TEST(JsonDocumentTest, NothingHidesBehindANul) {
  EXPECT_EQ(ErrorOf(std::string("{}\n\0{\"a\"", 8)), "f.json:2: a NUL character");
  EXPECT_EQ(ErrorOf("{\"a\": \"/usr\\u0000/x\"}"), "f.json:1: a string holds a NUL character");
  EXPECT_EQ(ErrorOf("{\"a\\u0000\": 1}"), "f.json:1: a key holds a NUL character");
}

TEST(JsonDocumentTest, DepthIsBounded) {
  EXPECT_EQ(ErrorOf(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')), "");
  EXPECT_EQ(ErrorOf(std::string(100'000, '[')), "f.json:1: more than 32 levels deep");
}

TEST(JsonDocumentTest, LongTokensAreCutInMessages) {
  const std::string text = "{\"" + std::string(100'000, 'k') + "\": 1, x}";
  EXPECT_LT(ErrorOf(text).size(), 400U);
}

class JsonObjectReaderTest : public testing::Test {
 protected:
  JsonObjectReader Read(const std::string& text) {
    absl::StatusOr<JsonValue> parsed = ParseJson(text, "f");
    EXPECT_TRUE(parsed.ok());
    document_ = *std::move(parsed);
    return {document_, "f", "", complaints_};
  }
  JsonValue document_;
  std::vector<std::string> complaints_;
};

TEST_F(JsonObjectReaderTest, TakesEveryTypeByName) {
  JsonObjectReader reader = Read(R"({"s": "x", "u": 7, "b": true, "l": ["p", "q"], "o": {}, "a": []})");
  EXPECT_EQ(reader.String("s"), "x");
  EXPECT_EQ(reader.Unsigned("u"), 7U);
  EXPECT_EQ(reader.Bool("b"), true);
  EXPECT_EQ(reader.StringArray("l"), (std::vector<std::string>{"p", "q"}));
  EXPECT_NE(reader.Object("o"), nullptr);
  EXPECT_NE(reader.Array("a"), nullptr);
  EXPECT_EQ(reader.String("absent"), std::nullopt);
  reader.Finish();
  EXPECT_TRUE(complaints_.empty()) << complaints_.front();
}

TEST_F(JsonObjectReaderTest, WrongTypesAreComplaints) {
  JsonObjectReader reader = Read("{\n\"s\": 1,\n\"u\": -1,\n\"b\": \"true\",\n\"l\": [\n1]}");
  EXPECT_EQ(reader.String("s"), std::nullopt);
  EXPECT_EQ(reader.Unsigned("u"), std::nullopt);
  EXPECT_EQ(reader.Bool("b"), std::nullopt);
  EXPECT_EQ(reader.StringArray("l"), std::nullopt);
  reader.Finish();
  EXPECT_EQ(complaints_, (std::vector<std::string>{"f:2: s: must be a string, not a whole number",
                                                   "f:3: u: must be a whole number, not a negative number",
                                                   "f:4: b: must be true or false, not a string",
                                                   "f:6: l[0]: must be a string, not a whole number"}));
}

TEST_F(JsonObjectReaderTest, UnknownKeysNameTheNearest) {
  JsonObjectReader reader = Read("{\"name\": \"x\",\n\"extnds\": \"y\",\n\"zzzzzz\": 1}");
  reader.String("name");
  reader.String("extends");
  reader.Finish();
  EXPECT_EQ(complaints_, (std::vector<std::string>{"f:2: extnds: unknown key; did you mean 'extends'?",
                                                   "f:3: zzzzzz: unknown key"}));
}

TEST_F(JsonObjectReaderTest, UnknownKeysAreNotNamedWhereNothingMayBeQuoted) {
  JsonObjectReader reader = Read("{\"name\": \"x\",\n\"nme\": \"y\",\n\"secret\": 1}");
  reader.String("name");
  reader.Finish(Quotes::kNothing);
  EXPECT_EQ(complaints_, (std::vector<std::string>{"f:2: document: unknown key; did you mean 'name'?",
                                                   "f:3: document: unknown key"}));
}

TEST_F(JsonObjectReaderTest, AComplaintIsOneLineWhateverTheKeyHolds) {
  JsonObjectReader reader = Read("{\"a\\nf:9: b\": 1}");
  reader.Finish();
  EXPECT_EQ(complaints_, (std::vector<std::string>{"f:1: a\\x0af:9: b: unknown key"}));
}

TEST_F(JsonObjectReaderTest, RequiredKeysMustBeThere) {
  JsonObjectReader reader = Read("\n{}");
  reader.Require("name");
  EXPECT_EQ(complaints_, (std::vector<std::string>{"f:2: name: is missing"}));
}

TEST_F(JsonObjectReaderTest, OnlyObjectsAreRead) {
  JsonObjectReader reader = Read("[1]");
  reader.Require("name");
  EXPECT_EQ(complaints_, (std::vector<std::string>{"f:1: document: must be an object, not an array"}));
}

TEST_F(JsonObjectReaderTest, PathsAreJoinedByDots) {
  JsonObjectReader reader = Read("{\"a\": {\"b\": 1}}");
  JsonObjectReader inner(*reader.Object("a"), "f", reader.KeyPath("a"), complaints_);
  inner.Complain("b", "is odd");
  EXPECT_EQ(complaints_, (std::vector<std::string>{"f:1: a.b: is odd"}));
  EXPECT_EQ(Message(ComplaintsToStatus(complaints_)), "f:1: a.b: is odd");
  EXPECT_TRUE(ComplaintsToStatus({}).ok());
}

}  // namespace
}  // namespace caisson::policy
