#include "cli/error_text.h"

#include <gtest/gtest.h>

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace caisson::cli {
namespace {

class StatusBuilder {
 public:
  StatusBuilder(grpc::StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}
  StatusBuilder& With(const google::protobuf::Message& detail) {
    details_.add_details()->PackFrom(detail);
    return *this;
  }
  grpc::Status Build() const { return {code_, message_, details_.SerializeAsString()}; }

 private:
  grpc::StatusCode code_;
  std::string message_;
  google::rpc::Status details_;
};

TEST(ErrorTextTest, EveryViolatedFieldIsOnTheOneLine) {
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field("limits.memory_bytes");
  violation->set_description("0 is invalid");
  violation = bad_request.add_field_violations();
  violation->set_field("files[1].path");
  violation->set_description("is absolute");
  EXPECT_EQ(
      StatusText(StatusBuilder(grpc::StatusCode::INVALID_ARGUMENT, "2 fields").With(bad_request).Build()),
      "invalid request: limits.memory_bytes: 0 is invalid; files[1].path: is absolute");
}

TEST(ErrorTextTest, ManyViolationsAreCounted) {
  google::rpc::BadRequest bad_request;
  for (int i = 0; i < 25; ++i) {
    bad_request.add_field_violations()->set_field("f");
  }
  const std::string text =
      StatusText(StatusBuilder(grpc::StatusCode::INVALID_ARGUMENT, "").With(bad_request).Build());
  EXPECT_NE(text.find("and 5 more"), std::string::npos) << text;
}

TEST(ErrorTextTest, NearestNamesAreOffered) {
  google::rpc::ErrorInfo info;
  info.set_reason("PROFILE_NOT_FOUND");
  (*info.mutable_metadata())["nearest"] = "python";
  const grpc::Status status =
      StatusBuilder(grpc::StatusCode::NOT_FOUND, "no profile is named 'pyhton'").With(info).Build();
  EXPECT_EQ(StatusText(status), "not found: no profile is named 'pyhton'; did you mean python?");
  EXPECT_EQ(StatusReason(status), "PROFILE_NOT_FOUND");
}

TEST(ErrorTextTest, NearestNamesAreNotRepeated) {
  google::rpc::ErrorInfo info;
  (*info.mutable_metadata())["nearest"] = "python";
  EXPECT_EQ(
      StatusText(
          StatusBuilder(grpc::StatusCode::NOT_FOUND, "no such profile; nearest: python").With(info).Build()),
      "not found: no such profile; nearest: python");
}

TEST(ErrorTextTest, RetryDelayIsSaidInSeconds) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  EXPECT_EQ(StatusText(
                StatusBuilder(grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full").With(retry).Build()),
            "too much: the queue is full; try again in 1.5 s");
}

TEST(ErrorTextTest, DetailsThatDoNotParseAreIgnored) {
  EXPECT_EQ(StatusText(grpc::Status(grpc::StatusCode::INTERNAL, "broken", "\xff\xff\xff")),
            "internal error: broken");
  EXPECT_EQ(StatusReason(grpc::Status(grpc::StatusCode::INTERNAL, "broken", "\xff\xff\xff")), "");
}

TEST(ErrorTextTest, StatusWithoutMessageStillSaysSomething) {
  EXPECT_EQ(StatusText(grpc::Status(grpc::StatusCode::UNAVAILABLE, "")), "unavailable");
}

TEST(ErrorTextTest, WhatTheServerQuotesCannotForgeALine) {
  const std::string text =
      StatusText(grpc::Status(grpc::StatusCode::NOT_FOUND, "x\ncaisson: all is well\x1b[2J"));
  EXPECT_EQ(text, "not found: x\\x0acaisson: all is well\\x1b[2J");
}

}  // namespace
}  // namespace caisson::cli
