// Whose call it is, where the call itself has to show it: `authorization: Bearer TOKEN` in its metadata,
// which is untrusted and never logged. On gRPC's threads.
#ifndef CAISSON_DISPATCHER_TENANCY_AUTHENTICATION_H_
#define CAISSON_DISPATCHER_TENANCY_AUTHENTICATION_H_

#include <grpcpp/support/status.h>
#include <grpcpp/support/string_ref.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "dispatcher/errors.h"
#include "dispatcher/tenancy/token_table.h"
#include "dispatcher/tenant.h"

namespace caisson::dispatcher {

inline constexpr char kAuthorizationKey[] = "authorization";
inline constexpr size_t kMaxAuthorizationBytes = 256;

// Why calls are refused here.
inline constexpr std::array kTokenReasons = {Reason::kTokenMissing, Reason::kTokenMalformed,
                                             Reason::kTokenNotValid, Reason::kTokenExpired};

// `metadata` is the call's. Nothing, and `caller` is whom the token names; or the reason of the refusal.
std::optional<Reason> Authenticate(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                                   const TokenTable& tokens, int64_t unix_seconds, Caller& caller);

// The answer to a call that was refused for `reason`, one of kTokenReasons. Says nothing of the token.
grpc::Status RefuseToken(Reason reason);

// Refused calls as lines of the log, one every ten seconds at most, however many there are. Any thread; the
// time is an argument.
class RefusedTokenLog {
 public:
  static constexpr int64_t kTellEveryMs = 10'000;

  // Counts one. The line that is due, or nothing.
  std::optional<std::string> Add(Reason reason, int64_t now_ns);

 private:
  std::mutex mutex_;
  std::map<Reason, uint64_t> untold_;
  int64_t told_ns_ = 0;
};

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_TENANCY_AUTHENTICATION_H_
