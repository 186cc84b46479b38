// The requests and responses of unary methods, which are taken raw: gRPC would parse a request of any size up
// to Execute's, and keep each of its fields that nobody knows. Runs on gRPC's threads over bytes a client
// sent: untrusted.
#ifndef CAISSON_DISPATCHER_SMALL_MESSAGE_H_
#define CAISSON_DISPATCHER_SMALL_MESSAGE_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstddef>

namespace caisson::dispatcher {

// Far more than any of them needs: the largest field is the name of a run.
inline constexpr size_t kMaxSmallRequestBytes = 64UL * 1024;

// Parses `bytes` into `request`, or says why not: too large (nothing was parsed), or no such message.
grpc::Status ReadSmallRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);

// `message` into `bytes`.
grpc::Status WriteResponse(const google::protobuf::Message& message, grpc::ByteBuffer& bytes);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_SMALL_MESSAGE_H_
