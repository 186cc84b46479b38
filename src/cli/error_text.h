// A refusal as one line for people: google.rpc details (BadRequest, RetryInfo, ErrorInfo) rendered readably.
// Pure. The status comes from the server and may quote what a client sent; it is made safe to print.
#ifndef CAISSON_CLI_ERROR_TEXT_H_
#define CAISSON_CLI_ERROR_TEXT_H_

#include <grpcpp/support/status.h>

#include <string>

namespace caisson::cli {

// One line without a trailing newline: the message, every violated field, the nearest names, when to try
// again.
std::string StatusText(const grpc::Status& status);

// google.rpc.ErrorInfo.reason of the status, or "".
std::string StatusReason(const grpc::Status& status);

}  // namespace caisson::cli

#endif  // CAISSON_CLI_ERROR_TEXT_H_
