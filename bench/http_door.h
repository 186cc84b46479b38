// The same request through caisson-gateway: one warm connection of HTTP/1.1, kept alive. Trusts the gateway
// it measures.
#ifndef CAISSON_BENCH_HTTP_DOOR_H_
#define CAISSON_BENCH_HTTP_DOOR_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "caisson/v1/run.pb.h"
#include "common/unique_fd.h"

namespace caisson::bench {

class HttpDoor {
 public:
  // `port`: of a gateway on 127.0.0.1, before the daemon that is measured.
  static absl::StatusOr<HttpDoor> Connect(uint16_t port);

  // POST /v1/runs:execute, from the first byte sent to the last one read, in nanoseconds. An error unless the
  // program exited by itself with 0. The request's JSON is made before, as a client would that asks for the
  // same again.
  absl::StatusOr<int64_t> Execute(const std::string& request);

  // The bytes to send for `request`.
  static absl::StatusOr<std::string> Prepare(const v1::ExecuteRequest& request);

 private:
  explicit HttpDoor(UniqueFd socket) : socket_(std::move(socket)) {}

  UniqueFd socket_;
};

}  // namespace caisson::bench

#endif  // CAISSON_BENCH_HTTP_DOOR_H_
