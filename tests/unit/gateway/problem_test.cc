// Statuses as problem details, and the tables they come from.
#include "gateway/problem.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "common/files.h"
#include "gateway/route.h"
#include "gateway/status_code.h"

namespace caisson::gateway {
namespace {

TEST(ProblemTest, EveryCodeHasTheStatusOfGoogleRpc) {
  const std::map<std::string, unsigned> expected = {{"OK", 200},
                                                    {"CANCELLED", 499},
                                                    {"UNKNOWN", 500},
                                                    {"INVALID_ARGUMENT", 400},
                                                    {"DEADLINE_EXCEEDED", 504},
                                                    {"NOT_FOUND", 404},
                                                    {"ABORTED", 409},
                                                    {"ALREADY_EXISTS", 409},
                                                    {"PERMISSION_DENIED", 403},
                                                    {"UNAUTHENTICATED", 401},
                                                    {"INTERNAL", 500},
                                                    {"DATA_LOSS", 500},
                                                    {"RESOURCE_EXHAUSTED", 429},
                                                    {"FAILED_PRECONDITION", 400},
                                                    {"OUT_OF_RANGE", 400},
                                                    {"UNIMPLEMENTED", 501},
                                                    {"UNAVAILABLE", 503}};
  EXPECT_EQ(AllStatusCodes().size(), expected.size());
  for (const StatusCodeRow& row : AllStatusCodes()) {
    EXPECT_EQ(row.http, expected.at(row.name)) << row.name;
  }
  EXPECT_STREQ(RowOf(grpc::StatusCode::DO_NOT_USE).name, "UNKNOWN");
}

TEST(ProblemTest, DetailsOfAStatusAreTold) {
  google::rpc::Status status;
  google::rpc::ErrorInfo info;
  info.set_reason("QUEUE_FULL");
  info.set_domain("caisson.dev");
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("files[0].path");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_nanos(1'500'000'00);
  status.add_details()->PackFrom(info);
  status.add_details()->PackFrom(bad);
  status.add_details()->PackFrom(retry);
  const Problem problem =
      FromStatus({grpc::StatusCode::RESOURCE_EXHAUSTED, "full \xff", status.SerializeAsString()});
  EXPECT_EQ(RetryAfter(problem), "1");
  const auto json = nlohmann::json::parse(ProblemJson(problem, "r-1"));
  EXPECT_EQ(json["status"], 429);
  EXPECT_EQ(json["reason"], "QUEUE_FULL");
  EXPECT_EQ(json["type"], "urn:caisson:problem:queue-full");
  EXPECT_EQ(json["instance"], "urn:caisson:request:r-1");
  EXPECT_EQ(json["violations"][0]["field"], "files[0].path");
  EXPECT_EQ(json["retry_after_ms"], 150);
  EXPECT_EQ(json["detail"], "full \xef\xbf\xbd");
}

TEST(ProblemTest, AStatusWithoutDetailsHasNoReason) {
  const auto json =
      nlohmann::json::parse(ProblemJson(FromStatus({grpc::StatusCode::UNKNOWN, "x", "garbage\xff"}), "r"));
  EXPECT_EQ(json["type"], "about:blank");
  EXPECT_FALSE(json.contains("reason"));
}

TEST(ProblemTest, EveryRouteAndRefusalHasItsRowInTheDocument) {
  const auto document = ReadFile(std::string(CAISSON_DOCS_DIR) + "/http.md");
  ASSERT_TRUE(document.ok());
  for (const RouteRow& row : AllRoutes()) {
    EXPECT_NE(document->find("| `" + std::string(row.method) + " " + row.pattern + "` | "), std::string::npos)
        << row.pattern;
  }
  std::set<std::string> reasons;
  for (const RefusalRow& row : AllRefusals()) {
    EXPECT_NE(document->find("| `" + std::string(row.reason) + "` | " + std::to_string(row.http) + " | "),
              std::string::npos)
        << row.reason;
    EXPECT_TRUE(reasons.insert(row.reason).second);
  }
}

}  // namespace
}  // namespace caisson::gateway
