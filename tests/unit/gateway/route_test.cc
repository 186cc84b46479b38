// Paths, methods and queries.
#include "gateway/route.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::gateway {
namespace {

const std::string kRun(32, 'a');

TEST(RouteTest, EveryRouteIsFoundByItsMethodAndPath) {
  for (const RouteRow& row : AllRoutes()) {
    std::string path = row.pattern;
    if (const size_t at = path.find("{run}"); at != std::string::npos) {
      path.replace(at, 5, kRun);
    }
    const auto found = FindRoute(row.method, path);
    ASSERT_TRUE(std::holds_alternative<Route>(found)) << path;
    EXPECT_EQ(std::get<Route>(found).row->action, row.action);
    EXPECT_EQ(std::get<Route>(found).run, path.find(kRun) == std::string::npos ? "" : "runs/" + kRun);
    EXPECT_TRUE(std::holds_alternative<NoRoute>(FindRoute("PUT", path)));
  }
}

TEST(RouteTest, NearMissesAreNone) {
  for (const std::string& path :
       {std::string("/v1/runs/"), "/v1/runs/" + kRun + "/", "/v1/runs/" + kRun + "a",
        "/v1/runs/" + kRun + ":", std::string("//v1/runs"), std::string("/v1/runs/") + std::string(32, 'A'),
        std::string("http://localhost/v1/runs"), std::string("*"), std::string()}) {
    const auto found = FindRoute("GET", path);
    ASSERT_TRUE(std::holds_alternative<NoRoute>(found)) << path;
    EXPECT_EQ(std::get<NoRoute>(found).problem.reason, "NO_SUCH_ROUTE") << path;
  }
}

TEST(RouteTest, QueriesAreDecodedAndBounded) {
  const auto found = FindRoute("GET", "/v1/runs?filter=a%3D%22%C3%A9%22+b&page_size=&x");
  ASSERT_TRUE(std::holds_alternative<Route>(found));
  const auto& query = std::get<Route>(found).query;
  EXPECT_EQ(query.at("filter"), "a=\"\xc3\xa9\" b");
  EXPECT_EQ(query.at("page_size"), "");
  EXPECT_EQ(query.at("x"), "");
  std::string many = "/v1/runs?";
  for (int i = 0; i < 17; ++i) {
    many += "a" + std::to_string(i) + "=&";
  }
  for (const std::string& target :
       {many, std::string("/v1/runs?a=%"), std::string("/v1/runs?a=%4"), std::string("/v1/runs?a=%GG"),
        std::string("/v1/runs?a=%ff"), std::string("/v1/runs?=1"), std::string("/v1/runs?a=1&a=2"),
        std::string("/v1/runs?&&")}) {
    const auto refused = FindRoute("GET", target);
    ASSERT_TRUE(std::holds_alternative<NoRoute>(refused)) << target;
    EXPECT_EQ(std::get<NoRoute>(refused).problem.reason, "INVALID_QUERY") << target;
  }
}

}  // namespace
}  // namespace caisson::gateway
