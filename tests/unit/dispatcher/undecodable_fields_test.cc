#include "dispatcher/undecodable_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "caisson/v1/run.pb.h"

namespace caisson::dispatcher {
namespace {

// A length-delimited field. Written by hand, since protobuf would not write invalid UTF-8 into a string.
std::string Field(int number, const std::string& value) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(value.size())} + value;
}

std::vector<std::string> Fields(const std::string& bytes) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FindUndecodableFields(*v1::ExecuteRequest::descriptor(), bytes)) {
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(UndecodableFieldsTest, NamesEveryStringThatIsNotUtf8) {
  const std::string bad = "\xc0\xaf";
  const std::string bytes = Field(2, bad) + Field(3, Field(1, "fine") + Field(2, bad)) +
                            Field(3, Field(1, bad)) + Field(5, "ok") + Field(5, bad) +
                            Field(6, Field(1, "K") + Field(2, bad));
  EXPECT_EQ(Fields(bytes), (std::vector<std::string>{"profile", "files[1].path", "args[1]", "env[0].value"}));
}

TEST(UndecodableFieldsTest, BytesThatAreNoMessageAreSaidToBeNone) {
  EXPECT_EQ(Fields("\xff\xff\xff"), std::vector<std::string>{"ExecuteRequest"});
  EXPECT_EQ(Fields(std::string("\x12\x7f", 2)),
            std::vector<std::string>{"ExecuteRequest"});  // longer than there is
}

TEST(UndecodableFieldsTest, ThousandsOfBadFieldsGiveABoundedAnswer) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) {
    bytes += Field(5, "\xff");
  }
  EXPECT_EQ(Fields(bytes).size(), 100U);
}

}  // namespace
}  // namespace caisson::dispatcher
