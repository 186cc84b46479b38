// At a listener that asks for tokens: who has shown none, beside those who have.
#include <gtest/gtest.h>

#include <vector>

#include "dispatcher/connection_gate_fixture.h"

namespace caisson::dispatcher {
namespace {

TEST_F(ConnectionGateTest, ManyStrangersCannotEndTheCallsOfOneWhoHasShownAToken) {
  ConnectionGate::Bounds bounds;
  bounds.open_calls = 7;
  StartForTokens(bounds);
  const UniqueFd known = Connect();
  Write(known.get(), kPrefaceText + Call(1) + Call(3) + Call(5));
  static_cast<void>(ReadExactly(Server(0), kPrefaceText.size() + 3 * Call(1).size()));
  book_.NoteToken(PeerOf(Server(0)), kCaller);
  std::vector<UniqueFd> strangers;
  for (size_t i = 1; i <= 12; ++i) {  // each with fewer calls than the one who is known
    strangers.push_back(Connect());
    Write(strangers.back().get(), kPrefaceText + Call(1));
    static_cast<void>(ReadExactly(Server(i), kPrefaceText.size() + Call(1).size()));
  }
  EXPECT_FALSE(Readable(known.get(), 50));
  Write(known.get(), Call(7));
  EXPECT_EQ(ReadExactly(Server(0), Call(7).size()), Call(7));
}

TEST_F(ConnectionGateTest, StrangersWithCallsDoNotKeepANewcomerOut) {
  ConnectionGate::Bounds bounds;
  bounds.connections = 3;
  StartForTokens(bounds);
  std::vector<UniqueFd> strangers;
  for (size_t i = 0; i < 3; ++i) {
    strangers.push_back(Connect());
    Write(strangers.back().get(), kPrefaceText + Call(1));
    static_cast<void>(ReadExactly(Server(i), kPrefaceText.size() + Call(1).size()));
  }
  const UniqueFd newcomer = Connect();
  Write(newcomer.get(), kPrefaceText);
  EXPECT_EQ(ReadExactly(Server(3), kPrefaceText.size()), kPrefaceText);
  EXPECT_TRUE(Ended(strangers[0].get()));  // the first to have been silent since
}

}  // namespace
}  // namespace caisson::dispatcher
