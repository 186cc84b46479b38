// Heads: ids, hosts, origins, what is accepted.
#include "gateway/request_head.h"

#include <gtest/gtest.h>

#include <string>

namespace caisson::gateway {
namespace {

RequestHeader Head(std::initializer_list<std::pair<const char*, std::string>> fields) {
  RequestHeader head;
  for (const auto& [name, value] : fields) {
    head.insert(name, value);
  }
  return head;
}

const Doors kDoors{{"https://ok.example"}, {"gate.example"}};

TEST(RequestHeadTest, OnlyOurHostsAreServed) {
  for (const char* host :
       {"localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:1", "[::1]", "gate.example:443"}) {
    EXPECT_FALSE(CheckHead(Head({{"Host", host}}), kDoors).has_value()) << host;
  }
  for (const char* host : {"", "evil.example", "localhost.evil.example", "localhost:80:90",
                           "localhost:", "localhost:x", "127.0.0.1.evil", "[::1]x", "localhost@evil"}) {
    EXPECT_TRUE(CheckHead(Head({{"Host", host}}), kDoors).has_value()) << host;
  }
}

TEST(RequestHeadTest, OnlyAllowedOriginsAndOurOwnAreServed) {
  EXPECT_FALSE(
      CheckHead(Head({{"Host", "localhost:1"}, {"Origin", "https://ok.example"}}), kDoors).has_value());
  EXPECT_FALSE(
      CheckHead(Head({{"Host", "localhost:1"}, {"Origin", "http://localhost:1"}}), kDoors).has_value());
  for (const char* origin : {"null", "", "https://ok.example.evil", "http://ok.example", "http://localhost:2",
                             "https://localhost:1"}) {
    EXPECT_TRUE(CheckHead(Head({{"Host", "localhost:1"}, {"Origin", origin}}), kDoors).has_value()) << origin;
  }
  EXPECT_TRUE(
      CheckHead(Head({{"Host", "localhost"}, {"Origin", "https://ok.example"}, {"Origin", "https://evil"}}),
                kDoors)
          .has_value());
}

TEST(RequestHeadTest, AnIdOfTheClientsIsTakenWhereItIsOne) {
  EXPECT_EQ(RequestId(Head({{"X-Request-Id", "a_B-1.x"}}), "fresh"), "a_B-1.x");
  for (const std::string& id :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\xff"), std::string("a\"")}) {
    EXPECT_EQ(RequestId(Head({{"X-Request-Id", id}}), "fresh"), "fresh");
  }
  EXPECT_EQ(FreshRequestId().size(), 32U);
  EXPECT_NE(FreshRequestId(), FreshRequestId());
}

TEST(RequestHeadTest, AnAuthorizationIsHandedOnAsItIsWhereItCanBe) {
  EXPECT_EQ(Authorization(Head({})), "");
  EXPECT_EQ(Authorization(Head({{"Authorization", "Bearer x"}})), "Bearer x");
  EXPECT_EQ(Authorization(Head({{"authorization", std::string(256, 'a')}})), std::string(256, 'a'));
  for (const std::string& wrong :
       {std::string(), std::string(257, 'a'), std::string("a\xff"), std::string("a\tb")}) {
    EXPECT_EQ(Authorization(Head({{"Authorization", wrong}})), kMalformedAuthorization);
  }
  EXPECT_EQ(Authorization(Head({{"Authorization", "Bearer x"}, {"Authorization", "Bearer x"}})),
            kMalformedAuthorization);
}

TEST(RequestHeadTest, ATraceIsTakenWhereItIsOne) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(Traceparent(Head({{"traceparent", good}})), good);
  EXPECT_EQ(Traceparent(Head({{"traceparent", "01" + good.substr(2)}})), "");
  EXPECT_EQ(Traceparent(Head({{"traceparent", good}, {"traceparent", good}})), "");
  EXPECT_EQ(Traceparent(Head({{"traceparent", "00-" + std::string(32, '0') + good.substr(35)}})), "");
}

TEST(RequestHeadTest, TheAcceptHeaderDecides) {
  struct Case {
    const char* accept;
    Answer answer;
  };
  for (const Case& one :
       {Case{"*/*", Answer::kJson}, Case{"text/event-stream", Answer::kEvents},
        Case{"TEXT/*;q=0.5", Answer::kEvents}, Case{"application/json, text/event-stream", Answer::kJson},
        Case{"application/json;q=0.1, text/event-stream;q=0.2", Answer::kEvents},
        Case{"image/png", Answer::kNeither}, Case{"", Answer::kNeither},
        Case{"text/event-stream;q=0, */*", Answer::kJson}, Case{"application/json;q=9x", Answer::kNeither}}) {
    EXPECT_EQ(Accepted(Head({{"Accept", one.accept}})), one.answer) << one.accept;
  }
  EXPECT_EQ(Accepted(Head({})), Answer::kJson);
}

TEST(RequestHeadTest, OnlyJsonInUtf8IsJson) {
  for (const char* type : {"application/json", "Application/JSON; charset=UTF-8", "application/json;"}) {
    EXPECT_TRUE(IsJson(Head({{"Content-Type", type}}))) << type;
  }
  for (const char* type : {"text/plain", "application/jsonx", "application/json; charset=latin1", "",
                           "application/x-www-form-urlencoded"}) {
    EXPECT_FALSE(IsJson(Head({{"Content-Type", type}}))) << type;
  }
}

}  // namespace
}  // namespace caisson::gateway
