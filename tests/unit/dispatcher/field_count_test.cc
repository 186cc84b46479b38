#include "dispatcher/field_count.h"

#include <gtest/gtest.h>

#include <string>

#include "caisson/v1/run.pb.h"

namespace caisson::dispatcher {
namespace {

bool TooMany(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return HasTooManyFields(*v1::ExecuteRequest::descriptor(), grpc::ByteBuffer(&slice, 1));
}

std::string Repeated(const std::string& piece, uint32_t times) {
  std::string text;
  for (uint32_t i = 0; i < times; ++i) {
    text += piece;
  }
  return text;
}

std::string InField(int number, const std::string& value) {
  std::string text(1, static_cast<char>(number << 3 | 2));
  for (size_t left = value.size(); true; left >>= 7U) {
    text += static_cast<char>((left & 0x7fU) | (left > 0x7f ? 0x80U : 0U));
    if (left <= 0x7f) {
      return text + value;
    }
  }
}

constexpr int kFiles = v1::ExecuteRequest::kFilesFieldNumber;
const std::string kVarint("\x78\x01");  // field 15, which nobody knows

TEST(FieldCountTest, TheBoundIsExact) {
  EXPECT_FALSE(TooMany(Repeated(kVarint, kMaxFields)));
  EXPECT_TRUE(TooMany(Repeated(kVarint, kMaxFields + 1)));
}

TEST(FieldCountTest, FieldsOfFieldsAndOfGroupsCount) {
  EXPECT_TRUE(TooMany(Repeated(InField(kFiles, ""), kMaxFields + 1)));
  EXPECT_FALSE(TooMany(InField(kFiles, Repeated(kVarint, kMaxFields - 1))));
  EXPECT_TRUE(TooMany(InField(kFiles, Repeated(kVarint, kMaxFields))));
  EXPECT_TRUE(TooMany(Repeated(InField(kFiles, kVarint), kMaxFields / 2 + 1)));
  EXPECT_TRUE(TooMany("\x7b" + Repeated(kVarint, kMaxFields) + "\x7c"));
}

TEST(FieldCountTest, BytesWithinAFieldDoNotCount) {
  v1::ExecuteRequest request;
  request.set_profile("python");
  request.add_files()->set_content(Repeated(kVarint, 1'000'000));
  EXPECT_FALSE(TooMany(request.SerializeAsString()));
}

TEST(FieldCountTest, WhatIsNoMessageIsLeftToTheParser) {
  EXPECT_FALSE(TooMany(""));
  EXPECT_FALSE(TooMany("\xff\xff\xff\xff\xff\xff"));
  EXPECT_FALSE(TooMany("\x1a\x7fshort"));
}

}  // namespace
}  // namespace caisson::dispatcher
