#include "dispatcher/field_count.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <climits>

namespace caisson::dispatcher {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr int kMaxDepth = 8;

// Counts on until there are too many, or the bytes end or make no sense: there the parser stops too.
void Count(CodedInputStream& input, const Descriptor& type, int depth, uint32_t& fields) {
  for (uint32_t tag = input.ReadTag(); tag != 0 && ++fields <= kMaxFields; tag = input.ReadTag()) {
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_START_GROUP:
      case WireFormatLite::WIRETYPE_END_GROUP:
        break;  // what a group holds is kept field by field, so it counts as if it stood here
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
        uint32_t length = 0;
        if (!input.ReadVarint32(&length) || length > INT_MAX) {
          return;
        }
        const FieldDescriptor* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
        const bool nested =
            field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE && depth < kMaxDepth;
        if (nested) {
          const CodedInputStream::Limit limit = input.PushLimit(static_cast<int>(length));
          Count(input, *field->message_type(), depth + 1, fields);
          if (fields > kMaxFields || input.BytesUntilLimit() != 0) {
            return;
          }
          input.PopLimit(limit);
        } else if (!input.Skip(static_cast<int>(length))) {
          return;
        }
        break;
      }
      default:
        if (!WireFormatLite::SkipField(&input, tag)) {
          return;
        }
    }
  }
}

}  // namespace

bool HasTooManyFields(const Descriptor& type, const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer copy(bytes);  // shares the bytes
  grpc::ProtoBufferReader reader(&copy);
  CodedInputStream input(&reader);
  uint32_t fields = 0;
  Count(input, type, 0, fields);
  return fields > kMaxFields;
}

}  // namespace caisson::dispatcher
