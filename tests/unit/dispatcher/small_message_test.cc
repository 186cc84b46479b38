#include "dispatcher/small_message.h"

#include <gtest/gtest.h>

#include <string>

#include "caisson/v1/run.pb.h"

namespace caisson::dispatcher {
namespace {

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

// A GetRunRequest of exactly so many bytes, all but a few of them in a field that nobody knows.
std::string RequestOf(size_t bytes) {
  v1::GetRunRequest request;
  request.set_name("runs/x");
  std::string text = request.SerializeAsString();
  text += "\x7a\x80\x80\x04";  // field 15, whose length follows in three bytes
  const size_t left = bytes - text.size();
  text[text.size() - 3] = static_cast<char>(0x80U | (left & 0x7fU));
  text[text.size() - 2] = static_cast<char>(0x80U | (left >> 7U & 0x7fU));
  text[text.size() - 1] = static_cast<char>(left >> 14U);
  return text + std::string(left, 'x');
}

TEST(SmallMessageTest, TheBoundIsExact) {
  v1::GetRunRequest request;
  EXPECT_TRUE(ReadSmallRequest(Bytes(RequestOf(kMaxSmallRequestBytes)), request).ok());
  EXPECT_EQ(request.name(), "runs/x");
  v1::GetRunRequest untouched;
  const grpc::Status refused = ReadSmallRequest(Bytes(RequestOf(kMaxSmallRequestBytes + 1)), untouched);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.error_message(), "the GetRunRequest has more than 65536 bytes");
  EXPECT_EQ(untouched.name(), "");
}

TEST(SmallMessageTest, TextThatIsNotUtf8IsNamed) {
  v1::GetRunRequest request;
  const grpc::Status refused = ReadSmallRequest(Bytes("\x0a\x01\xff"), request);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(refused.error_message().find("name: must be valid UTF-8"), std::string::npos)
      << refused.error_message();
}

TEST(SmallMessageTest, BytesThatAreNoMessageAreRefused) {
  v1::GetRunRequest request;
  EXPECT_EQ(ReadSmallRequest(Bytes("\xff\xff\xff"), request).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(SmallMessageTest, NoBytesAreAMessageWithoutFields) {
  v1::ListRunsRequest request;
  EXPECT_TRUE(ReadSmallRequest(Bytes(""), request).ok());
}

TEST(SmallMessageTest, WhatIsWrittenIsRead) {
  v1::GetRunRequest out;
  out.set_name("runs/y");
  grpc::ByteBuffer bytes;
  ASSERT_TRUE(WriteResponse(out, bytes).ok());
  v1::GetRunRequest in;
  ASSERT_TRUE(ReadSmallRequest(bytes, in).ok());
  EXPECT_EQ(in.name(), "runs/y");
}

}  // namespace
}  // namespace caisson::dispatcher
