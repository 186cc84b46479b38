#include "dispatcher/small_message.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <string>

#include "dispatcher/errors.h"
#include "dispatcher/undecodable_fields.h"

namespace caisson::dispatcher {
namespace {

using Traits = grpc::SerializationTraits<google::protobuf::Message>;

}  // namespace

grpc::Status ReadSmallRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  if (bytes.Length() > kMaxSmallRequestBytes) {
    const std::string limit = std::to_string(kMaxSmallRequestBytes);
    return Refuse(Reason::kRequestTooLarge,
                  "the " + request.GetDescriptor()->name() + " has more than " + limit + " bytes",
                  {{"limit_bytes", limit}});
  }
  grpc::ByteBuffer copy(bytes);  // shares the bytes; deserializing empties it
  if (Traits::Deserialize(&copy, &request).ok()) {
    return grpc::Status::OK;
  }
  return RefuseFields(Reason::kInvalidRequest, FindUndecodableFields(*request.GetDescriptor(), bytes));
}

grpc::Status WriteResponse(const google::protobuf::Message& message, grpc::ByteBuffer& bytes) {
  bool owned = false;
  return Traits::Serialize(message, &bytes, &owned);
}

}  // namespace caisson::dispatcher
