#include "dispatcher/metrics_endpoint.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace caisson::dispatcher {
namespace {

std::string Answer(const std::string& head) {
  return AnswerHttp(head, [] { return std::string("page\n"); });
}

TEST(MetricsEndpointTest, APageIsSentWithItsLength) {
  for (const char* head : {"GET /metrics HTTP/1.1\r\n\r\n", "GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n",
                           "GET /metrics?name=x HTTP/1.1\r\n\r\n"}) {
    EXPECT_EQ(Answer(head),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: "
              "5\r\nConnection: close\r\n\r\npage\n")
        << head;
  }
}

TEST(MetricsEndpointTest, NothingElseIsServed) {
  const auto status = [](const std::string& head) { return Answer(head).substr(9, 3); };
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), "404");
  EXPECT_EQ(status("GET /metricsx HTTP/1.1\r\n\r\n"), "404");
  EXPECT_EQ(status("GET http://x/metrics HTTP/1.1\r\n\r\n"), "404");
  EXPECT_EQ(status("HEAD /metrics HTTP/1.1\r\n\r\n"), "405");
  EXPECT_EQ(status("DELETE /metrics HTTP/1.1\r\n\r\n"), "405");
  EXPECT_EQ(status("GET /metrics\r\n\r\n"), "400");
  EXPECT_EQ(status("GET /metrics HTTP/2.0\r\n\r\n"), "400");
  EXPECT_EQ(status("\r\n\r\n"), "400");
  EXPECT_EQ(status(""), "400");
}

TEST(MetricsEndpointTest, AnyBytesAreAnswered) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string head(random() % 64, '\0');
    for (char& byte : head) {
      byte = " GET/metricsHTTP1.\r\n\xff"[random() % 21];
    }
    EXPECT_EQ(Answer(head).substr(0, 9), "HTTP/1.1 ");
  }
}

}  // namespace
}  // namespace caisson::dispatcher
