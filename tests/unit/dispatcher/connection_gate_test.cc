// What passes the gate, and who makes room for whom.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "dispatcher/connection_gate_fixture.h"

namespace caisson::dispatcher {
namespace {

TEST_F(ConnectionGateTest, EachConnectionHasANameByWhichItsCallerIsFound) {
  Start({}, {getuid()});  // who may come in
  const UniqueFd one = Connect();
  const std::string first = PeerOf(Server(0));
  UniqueFd two = Connect();
  const std::string second = PeerOf(Server(1));
  EXPECT_NE(first, second);
  ASSERT_TRUE(book_.Find(first).has_value());
  EXPECT_EQ(book_.Find(first)->tenant, kCaller.tenant);
  EXPECT_EQ(book_.Find(second)->role, Role::kObserve);
  two.reset();
  EXPECT_TRUE(Ended(Server(1)));
  close(servers_[1].release());
  // The gate hears of the end in its own time.
  for (int i = 0; i < kPatienceMs / 10 && book_.Find(second).has_value(); ++i) {
    usleep(10'000);
  }
  EXPECT_FALSE(book_.Find(second).has_value());
  EXPECT_TRUE(book_.Find(first).has_value());
}

TEST_F(ConnectionGateTest, NamesThatNoConnectionHasBelongToNobody) {
  const std::string name = book_.Add(kCaller);
  EXPECT_TRUE(book_.Find("unix-abstract:" + name).has_value());
  for (const std::string& peer :
       {std::string(), std::string("unix:"), "unix:" + name, name, "unix-abstract:" + name + "0",
        std::string("unix-abstract:"), std::string("ipv4:127.0.0.1:80")}) {
    EXPECT_FALSE(book_.Find(peer).has_value()) << peer;
  }
}

TEST_F(ConnectionGateTest, ATenantWithManyConnectionsMakesRoomForOneOfAnother) {
  ConnectionGate::Bounds bounds;
  bounds.connections = 3;
  StartTwo(bounds);
  std::vector<UniqueFd> many;
  for (size_t i = 0; i < 3; ++i) {
    many.push_back(Connect());
    Write(many.back().get(), kPrefaceText + Call(1));  // none of them is idle
    ReadExactly(Server(i), kPrefaceText.size() + Call(1).size());
  }
  // One more of its own is refused, ...
  const UniqueFd refused = Connect();
  EXPECT_TRUE(Ended(refused.get()));
  // ... and one of another tenant comes in.
  const UniqueFd other = ConnectTo(path() + "2");
  Write(other.get(), kPrefaceText);
  EXPECT_EQ(ReadExactly(Server(3), kPrefaceText.size()), kPrefaceText);
}

TEST_F(ConnectionGateTest, ConnectionsOfOtherUsersAreClosedAtOnce) {
  Start({}, {getuid() + 1});
  const UniqueFd client = Connect();
  EXPECT_TRUE(Ended(client.get()));
  const std::lock_guard lock(mutex_);
  EXPECT_TRUE(servers_.empty());
}

TEST_F(ConnectionGateTest, BytesPassUnchangedInBothDirections) {
  Start({});
  const UniqueFd client = Connect();
  const std::string said =
      kPrefaceText + Frame(4, 0, 0, "") + Call(1) + Frame(0, 1, 1, std::string(5'000, 'x'));
  Write(client.get(), said);
  EXPECT_EQ(ReadExactly(Server(0), said.size()), said);
  const std::string answered = Frame(4, 0, 0, "") + Frame(1, 5, 1, "answer");
  Write(Server(0), answered);
  EXPECT_EQ(ReadExactly(client.get(), answered.size()), answered);
}

TEST_F(ConnectionGateTest, MegabytesWaitForASlowReaderAndAreWhole) {
  Start({});
  const UniqueFd client = Connect();
  std::string said;
  for (int i = 0; i < 400; ++i) {
    said += Frame(0, 0, 1, std::string(16'384, static_cast<char>('a' + i % 26)));
  }
  std::thread server([&] { Write(Server(0), said); });
  EXPECT_EQ(ReadExactly(client.get(), said.size()), said);
  server.join();
}

TEST_F(ConnectionGateTest, WhatTheServerSaidLastReachesTheClient) {
  Start({});
  const UniqueFd client = Connect();
  const std::string last = Frame(7, 0, 0, "goodbye!");
  Write(Server(0), last);
  {
    const std::lock_guard lock(mutex_);
    servers_.at(0).reset();
  }
  EXPECT_EQ(ReadExactly(client.get(), last.size()), last);
  EXPECT_TRUE(Ended(client.get()));
}

TEST_F(ConnectionGateTest, AClientThatLeavesIsGoneForTheServerToo) {
  Start({});
  UniqueFd client = Connect();
  const int server = Server(0);
  client.reset();
  EXPECT_TRUE(Ended(server));
}

TEST_F(ConnectionGateTest, AnotherProtocolIsNotPassedOn) {
  Start({});
  const UniqueFd client = Connect();
  const int server = Server(0);
  Write(client.get(), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(Ended(client.get()));
  EXPECT_TRUE(Ended(server));
}

TEST_F(ConnectionGateTest, AnEndlessHeaderBlockEndsItsConnection) {
  Start({});
  const UniqueFd client = Connect();
  const int server = Server(0);
  std::string said = kPrefaceText + Frame(http2::kHeaders, 0, 1, "h");
  for (size_t bytes = 0; bytes <= kMaxHeaderBlockBytes; bytes += 8'000) {
    said += Frame(http2::kContinuation, 0, 1, std::string(8'000, 'h'));
  }
  Write(client.get(), said);
  EXPECT_TRUE(Ended(client.get()));
  EXPECT_LT(ReadExactly(server, said.size()).size(), said.size());
}

TEST_F(ConnectionGateTest, APrefaceOrHeadersThatNeverEndTakeTheirTimeOnly) {
  ConnectionGate::Bounds bounds;
  bounds.incomplete_ms = 50;
  Start(bounds);
  const UniqueFd silent = Connect();
  const UniqueFd half_preface = Connect();
  Write(half_preface.get(), "PRI * HTTP");
  const UniqueFd half_headers = Connect();
  Write(half_headers.get(), kPrefaceText + Frame(http2::kHeaders, 0, 1, "h"));
  const UniqueFd idle = Connect();
  Write(idle.get(), kPrefaceText);
  for (const UniqueFd* client : {&silent, &half_preface, &half_headers}) {
    EXPECT_TRUE(Ended(client->get()));
  }
  EXPECT_FALSE(Readable(idle.get(), 200));
}

TEST_F(ConnectionGateTest, CallsComeAtABoundedRateAndNoneIsLost) {
  ConnectionGate::Bounds bounds;
  bounds.calls_per_second = 200;
  bounds.calls_at_once = 32;
  Start(bounds);
  const UniqueFd client = Connect();
  std::string said = kPrefaceText;
  for (uint32_t i = 0; i < 132; ++i) {
    said += Call(1 + 2 * i) + Frame(http2::kRstStream, 0, 1 + 2 * i, "xxxx");
  }
  const auto begin = std::chrono::steady_clock::now();
  Write(client.get(), said);
  EXPECT_EQ(ReadExactly(Server(0), said.size()), said);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(450));
}

TEST_F(ConnectionGateTest, ACallOfAnotherClientDoesNotWaitForAFloodToEnd) {
  ConnectionGate::Bounds bounds;
  bounds.calls_per_second = 100;
  bounds.calls_at_once = 32;
  Start(bounds);
  const UniqueFd flood = Connect();
  std::string said = kPrefaceText;
  for (uint32_t i = 0; i < 1'000; ++i) {  // ten seconds' worth
    said += Call(1 + 2 * i) + Frame(http2::kRstStream, 0, 1 + 2 * i, "xxxx");
  }
  Write(flood.get(), said);
  static_cast<void>(ReadExactly(Server(0), 500));
  const auto begin = std::chrono::steady_clock::now();
  const UniqueFd other = Connect();
  const std::string call = kPrefaceText + Call(1);
  Write(other.get(), call);
  EXPECT_EQ(ReadExactly(Server(1), call.size()), call);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(ConnectionGateTest, BeyondTheBoundTheConnectionThatWasNeverUsedGoes) {
  ConnectionGate::Bounds bounds;
  bounds.connections = 2;
  Start(bounds);
  const UniqueFd used = Connect();
  Write(used.get(), kPrefaceText + Call(1));
  static_cast<void>(ReadExactly(Server(0), kPrefaceText.size() + Call(1).size()));
  const std::string answer = Frame(http2::kHeaders, http2::kEndStream, 1, "done");
  Write(Server(0), answer);
  EXPECT_EQ(ReadExactly(used.get(), answer.size()), answer);
  const UniqueFd unused = Connect();
  Server(1);
  const UniqueFd next = Connect();
  Server(2);
  EXPECT_TRUE(Ended(unused.get()));
  EXPECT_FALSE(Readable(used.get(), 50));
  EXPECT_FALSE(Readable(next.get(), 50));
}

TEST_F(ConnectionGateTest, ConnectionsWithCallsAreKeptAndANewOneIsRefused) {
  ConnectionGate::Bounds bounds;
  bounds.connections = 1;
  Start(bounds);
  const UniqueFd busy = Connect();
  Write(busy.get(), kPrefaceText + Call(1));
  static_cast<void>(ReadExactly(Server(0), kPrefaceText.size() + Call(1).size()));
  const UniqueFd refused = Connect();
  EXPECT_TRUE(Ended(refused.get()));
  EXPECT_FALSE(Readable(busy.get(), 50));
}

TEST_F(ConnectionGateTest, BeyondTheBoundOfOpenCallsTheConnectionWithMostGoes) {
  ConnectionGate::Bounds bounds;
  bounds.open_calls = 4;
  Start(bounds);
  const UniqueFd few = Connect();
  Write(few.get(), kPrefaceText + Call(1));
  static_cast<void>(ReadExactly(Server(0), kPrefaceText.size() + Call(1).size()));
  const UniqueFd many = Connect();
  Write(many.get(), kPrefaceText + Call(1) + Call(3) + Call(5));
  static_cast<void>(ReadExactly(Server(1), kPrefaceText.size() + 3 * Call(1).size()));
  Write(few.get(), Call(3));
  EXPECT_EQ(ReadExactly(Server(0), Call(3).size()), Call(3));
  EXPECT_TRUE(Ended(many.get()));
}

TEST_F(ConnectionGateTest, ASocketOfADeadPredecessorIsReplacedAndAFileIsNot) {
  const UniqueFd predecessor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(predecessor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  Start({});
  const UniqueFd client = Connect();
  Server(0);
  gate_.reset();
  const UniqueFd file(open(path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_FALSE(ConnectionGate::ListenOn(path(), kCaller).ok());
  EXPECT_EQ(unlink(path().c_str()), 0);
}

TEST_F(ConnectionGateTest, AfterStopAcceptingNobodyGetsInAndOthersGoOn) {
  Start({});
  const UniqueFd client = Connect();
  const int server = Server(0);
  gate_->StopAccepting();
  struct stat there {};
  EXPECT_NE(lstat(path().c_str(), &there), 0);
  Write(client.get(), kPrefaceText);
  EXPECT_EQ(ReadExactly(server, kPrefaceText.size()), kPrefaceText);
}

}  // namespace
}  // namespace caisson::dispatcher
