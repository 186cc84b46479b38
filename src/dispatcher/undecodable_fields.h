// Finds the string fields of a serialized message that are not valid UTF-8. Protobuf refuses such a message
// as a whole and does not say why; a client is told the fields. Runs in caisson-dispatcher over bytes a
// client sent: untrusted.
#ifndef CAISSON_DISPATCHER_UNDECODABLE_FIELDS_H_
#define CAISSON_DISPATCHER_UNDECODABLE_FIELDS_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>

#include <string_view>
#include <vector>

#include "dispatcher/errors.h"

namespace caisson::dispatcher {

// One violation for each string field in `bytes`, a serialized `type`, that is not UTF-8 (at most 100). Bytes
// that are no message at all give one violation of the message itself. Never empty.
std::vector<FieldViolation> FindUndecodableFields(const google::protobuf::Descriptor& type,
                                                  std::string_view bytes);
std::vector<FieldViolation> FindUndecodableFields(const google::protobuf::Descriptor& type,
                                                  const grpc::ByteBuffer& bytes);

}  // namespace caisson::dispatcher

#endif  // CAISSON_DISPATCHER_UNDECODABLE_FIELDS_H_
