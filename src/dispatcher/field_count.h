// Whether a message has more fields than any that could be valid, told before it is parsed: two bytes on the
// wire can become eighty in memory. Runs in caisson-dispatcher over bytes a client sent: untrusted.
#ifndef CAISSON_DISPATCHER_FIELD_COUNT_H_
#define CAISSON_DISPATCHER_FIELD_COUNT_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>

namespace caisson::dispatcher {

// Far above what the bounds of request_validation.h come to, fields within fields counted.
inline constexpr uint32_t kMaxFields = 16'384;

// True where `bytes`, a serialized `type`, has more than kMaxFields. Whether they are a message at all is the
// parser's to say.
bool HasTooManyFields(const google::protobuf::Descriptor& type, const grpc::ByteBuffer& bytes);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_FIELD_COUNT_H_
