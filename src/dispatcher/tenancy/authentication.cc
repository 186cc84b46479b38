#include "dispatcher/tenancy/authentication.h"

#include <iterator>
#include <string_view>

#include "common/clock.h"

namespace caisson::dispatcher {
namespace {

constexpr std::string_view kScheme = "bearer ";

// The token in "Bearer TOKEN", the scheme in any case (RFC 9110, 11.1), one space; empty for anything else.
std::string_view TokenIn(std::string_view header) {
  if (header.size() <= kScheme.size()) {
    return {};
  }
  for (size_t i = 0; i < kScheme.size(); ++i) {
    const char byte = header[i];
    if ((byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte) != kScheme[i]) {
      return {};
    }
  }
  return header.substr(kScheme.size());
}

}  // namespace

std::optional<Reason> Authenticate(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                                   const TokenTable& tokens, int64_t unix_seconds, Caller& caller) {
  const auto [begin, end] = metadata.equal_range(kAuthorizationKey);
  if (begin == end) {
    return Reason::kTokenMissing;
  }
  // Of two, others on the way may have looked at the other one.
  if (std::next(begin) != end || begin->second.size() > kMaxAuthorizationBytes) {
    return Reason::kTokenMalformed;
  }
  const std::string_view token = TokenIn({begin->second.data(), begin->second.size()});
  switch (tokens.Judge(token, unix_seconds, caller)) {
    case TokenTable::Outcome::kValid:
      return std::nullopt;
    case TokenTable::Outcome::kMalformed:
      return Reason::kTokenMalformed;
    case TokenTable::Outcome::kNotValid:
      return Reason::kTokenNotValid;
    case TokenTable::Outcome::kExpired:
      return Reason::kTokenExpired;
  }
  return Reason::kTokenNotValid;
}

grpc::Status RefuseToken(Reason reason) {
  switch (reason) {
    case Reason::kTokenMissing:
      return Refuse(reason, "this socket wants a token: authorization: Bearer TOKEN in the call's metadata");
    case Reason::kTokenMalformed:
      return Refuse(reason, "the authorization of the call is not one Bearer token of Caisson's form");
    case Reason::kTokenExpired:
      return Refuse(reason, "the token has expired");
    default:
      return Refuse(Reason::kTokenNotValid, "the token is not valid");
  }
}

std::optional<std::string> RefusedTokenLog::Add(Reason reason, int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  ++untold_[reason];
  if (told_ns_ != 0 && now_ns < told_ns_ + kTellEveryMs * kNanosPerMilli) {
    return std::nullopt;
  }
  told_ns_ = now_ns;
  std::string line = "security: event=token_refused";
  for (const auto& [why, count] : untold_) {
    line += std::string(" ") + InfoOf(why).name + "=" + std::to_string(count);
  }
  untold_.clear();
  return line;
}

}  // namespace caisson::dispatcher
