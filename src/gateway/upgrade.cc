#include "gateway/upgrade.h"

#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <string>

#include "absl/strings/escaping.h"

namespace caisson::gateway {
namespace {

namespace http = boost::beast::http;

constexpr size_t kKeyBytes = 16;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

// In the first header of the name, which is the one that Beast looks at.
bool HasToken(const RequestHeader& head, http::field name, boost::beast::string_view token) {
  return http::token_list(head[name]).exists(token);
}

// Subprotocols are compared as they stand, unlike other tokens.
bool Offers(const RequestHeader& head, std::string_view subprotocol) {
  for (auto [at, end] = head.equal_range(http::field::sec_websocket_protocol); at != end; ++at) {
    for (const auto& token : http::token_list(at->value())) {
      if (View(token) == subprotocol) {
        return true;
      }
    }
  }
  return false;
}

bool HasKey(const RequestHeader& head) {
  const std::string text(View(head[http::field::sec_websocket_key]));
  std::string key;
  return head.count(http::field::sec_websocket_key) == 1 && absl::Base64Unescape(text, &key) &&
         key.size() == kKeyBytes;
}

}  // namespace

std::optional<Problem> CheckUpgrade(const RequestHeader& head, std::string_view subprotocol) {
  if (head.version() != 11 || !HasToken(head, http::field::upgrade, "websocket") ||
      !HasToken(head, http::field::connection, "upgrade")) {
    return Refuse(Refusal::kUpgradeRequired, "this path serves WebSockets, by HTTP/1.1's Upgrade");
  }
  if (head.count(http::field::sec_websocket_version) != 1 ||
      View(head[http::field::sec_websocket_version]) != "13") {
    return Refuse(Refusal::kUpgradeRequired, "the WebSocket's version must be 13");
  }
  if (!HasKey(head)) {
    return Refuse(Refusal::kMalformedHttp, "Sec-WebSocket-Key must be there once, 16 bytes in base64");
  }
  if (!subprotocol.empty() && !Offers(head, subprotocol)) {
    return Refuse(Refusal::kSubprotocolRequired,
                  "Sec-WebSocket-Protocol must offer " + std::string(subprotocol));
  }
  return std::nullopt;
}

}  // namespace caisson::gateway
