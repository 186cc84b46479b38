// Handshakes of WebSockets, and what only looks like one.
#include "gateway/upgrade.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace caisson::gateway {
namespace {

namespace http = boost::beast::http;

constexpr char kSubprotocol[] = "caisson.run-interact.v1";

RequestHeader Handshake(const std::map<std::string, std::string>& changed = {}) {
  std::map<std::string, std::string> fields = {{"Upgrade", "websocket"},
                                               {"Connection", "keep-alive, Upgrade"},
                                               {"Sec-WebSocket-Version", "13"},
                                               {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                               {"Sec-WebSocket-Protocol", "chat, caisson.run-interact.v1"}};
  for (const auto& [name, value] : changed) {
    fields[name] = value;
  }
  RequestHeader head;
  head.version(11);
  for (const auto& [name, value] : fields) {
    if (!value.empty()) {
      head.set(name, value);
    }
  }
  return head;
}

TEST(UpgradeTest, AHandshakeIsOne) {
  EXPECT_FALSE(CheckUpgrade(Handshake(), kSubprotocol).has_value());
  EXPECT_FALSE(CheckUpgrade(Handshake({{"Upgrade", "h2c, WebSocket"}}), kSubprotocol).has_value());
  EXPECT_FALSE(CheckUpgrade(Handshake({{"Sec-WebSocket-Protocol", ""}}), "").has_value());
  EXPECT_FALSE(CheckUpgrade(Handshake({{"Sec-WebSocket-Protocol", "chat"}}), "").has_value());
}

TEST(UpgradeTest, NearMissesAreNamed) {
  struct Case {
    const char* name;
    const char* value;
    const char* reason;
  };
  for (const Case& one :
       {Case{"Upgrade", "", "UPGRADE_REQUIRED"}, Case{"Upgrade", "websockets", "UPGRADE_REQUIRED"},
        Case{"Connection", "keep-alive", "UPGRADE_REQUIRED"},
        Case{"Sec-WebSocket-Version", "12", "UPGRADE_REQUIRED"},
        Case{"Sec-WebSocket-Version", "13, 8", "UPGRADE_REQUIRED"},
        Case{"Sec-WebSocket-Key", "", "MALFORMED_HTTP"},
        Case{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ!!", "MALFORMED_HTTP"},
        Case{"Sec-WebSocket-Key", "YQ==", "MALFORMED_HTTP"},
        Case{"Sec-WebSocket-Protocol", "", "SUBPROTOCOL_REQUIRED"},
        Case{"Sec-WebSocket-Protocol", "Caisson.Run-Interact.V1", "SUBPROTOCOL_REQUIRED"}}) {
    const auto wrong = CheckUpgrade(Handshake({{one.name, one.value}}), kSubprotocol);
    ASSERT_TRUE(wrong.has_value()) << one.name << one.value;
    EXPECT_EQ(wrong->reason, one.reason) << one.name << one.value;
  }
  RequestHeader old = Handshake();
  old.version(10);
  EXPECT_EQ(CheckUpgrade(old, kSubprotocol)->reason, "UPGRADE_REQUIRED");
  RequestHeader two = Handshake();
  two.insert(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(CheckUpgrade(two, kSubprotocol)->reason, "MALFORMED_HTTP");
}

}  // namespace
}  // namespace caisson::gateway
