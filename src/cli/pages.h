// Lists that a server gives page by page. Untrusted: how many pages it says there are, and how large.
#ifndef CAISSON_CLI_PAGES_H_
#define CAISSON_CLI_PAGES_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "cli/text.h"

namespace caisson::cli {

inline constexpr std::chrono::seconds kUnaryDeadline{10};
inline constexpr size_t kMaxListBytes = 64UL * 1024 * 1024;
inline constexpr int kMaxListEntries = 16'384;

// A server that always has one more page would keep us for ever, and fill our memory. `call` gets a page,
// `take` its entries, whose number it returns.
template <typename Request, typename Response, typename Call, typename Take>
grpc::Status ForEachPage(Request request, const Call& call, const Take& take) {
  const auto deadline = std::chrono::system_clock::now() + kUnaryDeadline;
  size_t bytes = 0;
  int entries = 0;
  do {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    Response response;
    if (grpc::Status status = call(context, request, response); !status.ok()) {
      return status;
    }
    bytes += response.ByteSizeLong();
    entries += take(response);
    if (bytes > kMaxListBytes || entries > kMaxListEntries) {
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the server's list has more than " +
                                                        std::to_string(kMaxListEntries) + " entries or " +
                                                        BytesText(kMaxListBytes)};
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

}  // namespace caisson::cli

#endif  // CAISSON_CLI_PAGES_H_
