// gRPC's status codes in HTTP's, as google/rpc/code.proto says. Pure.
#ifndef CAISSON_GATEWAY_STATUS_CODE_H_
#define CAISSON_GATEWAY_STATUS_CODE_H_

#include <grpcpp/support/status_code_enum.h>

#include <span>

namespace caisson::gateway {

struct StatusCodeRow {
  grpc::StatusCode code;
  const char* name;   // "INVALID_ARGUMENT"
  unsigned http;      // 400
  const char* title;  // RFC 9457: the same for every problem of the kind
};

// Every code that gRPC has.
std::span<const StatusCodeRow> AllStatusCodes();
// UNKNOWN's row for a code that gRPC does not have: a server may send any number.
const StatusCodeRow& RowOf(grpc::StatusCode code);

}  // namespace caisson::gateway

#endif  // CAISSON_GATEWAY_STATUS_CODE_H_
