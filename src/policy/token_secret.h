// A bearer token: "caisson_ID_SECRET", with 12 hex digits that name it and 256 random bits in base64url.
// Whoever has it is its tenant's client. Made by `caisson token create`, shown by clients to the dispatcher.
#ifndef CAISSON_POLICY_TOKEN_SECRET_H_
#define CAISSON_POLICY_TOKEN_SECRET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson::policy {

inline constexpr size_t kTokenIdBytes = 12;
inline constexpr size_t kTokenSecretBytes = 43;  // 256 bits in base64url, without padding
inline constexpr std::string_view kTokenPrefix = "caisson_";
inline constexpr size_t kTokenBytes = kTokenPrefix.size() + kTokenIdBytes + 1 + kTokenSecretBytes;

using TokenDigest = std::array<uint8_t, 32>;

// Lower-case hex digits, kTokenIdBytes of them.
bool IsTokenId(std::string_view text);

// The id of what has a token's form; nothing for what has not.
std::optional<std::string> TokenIdOf(std::string_view token);

// SHA-256 of the whole token. Ends the program without memory.
TokenDigest DigestOfToken(std::string_view token);

// In a time that does not depend on how much of them is the same.
bool SameDigest(const TokenDigest& left, const TokenDigest& right);

// 64 lower-case hex digits, and back.
std::string TokenDigestText(const TokenDigest& digest);
std::optional<TokenDigest> ParseTokenDigest(std::string_view text);

// A new one, of the kernel's random numbers. Ends the program if there are none.
std::string MakeToken();

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_TOKEN_SECRET_H_
