// A request's JSON to the API's messages: protobuf's JSON mapping with the names of the proto, and two
// additions, so that people can write programs into it: a file's `text` instead of its `content`, and
// `stdin_text` instead of `stdin`. Pure. Untrusted: every byte.
#ifndef CAISSON_GATEWAY_REQUEST_JSON_H_
#define CAISSON_GATEWAY_REQUEST_JSON_H_

#include <optional>
#include <string_view>

#include "caisson/v1/run.pb.h"
#include "gateway/problem.h"

namespace caisson::gateway {

// Which fields hold and what they come to is the daemon's to say; here only their form.
std::optional<Problem> ParseExecuteRequest(std::string_view text, v1::ExecuteRequest& request);

// A message of Interact, with the same additions in `open.request`, and `stdin_text` and a file's `text` for
// its bytes.
std::optional<Problem> ParseInteractRequest(std::string_view text, v1::InteractRequest& message);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_REQUEST_JSON_H_
