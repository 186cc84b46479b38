// Run by the dispatcher on what clients show it, untrusted; by caissond and caisson on their users' files.
#include "policy/token_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <sys/types.h>

#include <span>

#include "common/status.h"

namespace caisson::policy {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

template <size_t kBytes>
std::array<uint8_t, kBytes> RandomBytes() {
  std::array<uint8_t, kBytes> random{};
  CAISSON_CHECK(getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
  return random;
}

std::string Hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kHexDigits[byte >> 4U];
    text += kHexDigits[byte & 0xfU];
  }
  return text;
}

std::string Base64Url(std::span<const uint8_t> bytes) {
  std::string text;
  uint32_t bits = 0;
  unsigned int count = 0;
  for (const uint8_t byte : bytes) {
    bits = bits << 8U | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += kBase64Url[bits >> count & 0x3fU];
    }
  }
  if (count > 0) {
    text += kBase64Url[bits << (6 - count) & 0x3fU];
  }
  return text;
}

}  // namespace

bool IsTokenId(std::string_view text) {
  return text.size() == kTokenIdBytes && text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

std::optional<std::string> TokenIdOf(std::string_view token) {
  if (token.size() != kTokenBytes || !token.starts_with(kTokenPrefix)) {
    return std::nullopt;
  }
  const std::string_view id = token.substr(kTokenPrefix.size(), kTokenIdBytes);
  const std::string_view secret = token.substr(kTokenBytes - kTokenSecretBytes);
  if (!IsTokenId(id) || token[kTokenPrefix.size() + kTokenIdBytes] != '_' ||
      secret.find_first_not_of(kBase64Url) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::string(id);
}

TokenDigest DigestOfToken(std::string_view token) {
  TokenDigest digest{};
  unsigned int size = 0;
  CAISSON_CHECK(EVP_Digest(token.data(), token.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1 &&
                size == digest.size());
  return digest;
}

bool SameDigest(const TokenDigest& left, const TokenDigest& right) {
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string TokenDigestText(const TokenDigest& digest) { return Hex(digest); }

std::optional<TokenDigest> ParseTokenDigest(std::string_view text) {
  TokenDigest digest{};
  if (text.size() != 2 * digest.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < digest.size(); ++i) {
    const size_t high = kHexDigits.find(text[2 * i]);
    const size_t low = kHexDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    digest.at(i) = static_cast<uint8_t>(high << 4U | low);
  }
  return digest;
}

std::string MakeToken() {
  return std::string(kTokenPrefix) + Hex(RandomBytes<kTokenIdBytes / 2>()) + "_" +
         Base64Url(RandomBytes<32>());
}

}  // namespace caisson::policy
