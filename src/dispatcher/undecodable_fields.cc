#include "dispatcher/undecodable_fields.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <climits>
#include <cstdint>
#include <map>
#include <string>

#include "common/utf8.h"

namespace caisson::dispatcher {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

constexpr size_t kMaxViolations = 100;
constexpr int kMaxDepth = 8;

class Scanner {
 public:
  // False when the bytes are not a message.
  bool Scan(const Descriptor& type, std::string_view bytes, const std::string& prefix, int depth);
  std::vector<FieldViolation> Take() { return std::move(violations_); }

 private:
  bool ScanField(const FieldDescriptor& field, std::string_view value, const std::string& path, int depth);

  std::vector<FieldViolation> violations_;
};

bool Scanner::Scan(const Descriptor& type, std::string_view bytes, const std::string& prefix, int depth) {
  if (depth > kMaxDepth || bytes.size() > INT_MAX) {
    return false;
  }
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(bytes.data()),  // SAFETY: the stream's type for bytes
      static_cast<int>(bytes.size()));
  std::map<int, size_t> seen;
  for (uint32_t tag = input.ReadTag(); tag != 0; tag = input.ReadTag()) {
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    const FieldDescriptor* field = type.FindFieldByNumber(number);
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
        field == nullptr) {
      if (!WireFormatLite::SkipField(&input, tag)) {
        return false;
      }
      continue;
    }
    uint32_t length = 0;
    if (!input.ReadVarint32(&length) || length > INT_MAX) {
      return false;
    }
    const auto start = static_cast<size_t>(input.CurrentPosition());
    if (!input.Skip(static_cast<int>(length))) {
      return false;
    }
    std::string path = prefix + field->name();
    if (field->is_repeated()) {
      path += "[" + std::to_string(seen[number]++) + "]";
    }
    if (violations_.size() < kMaxViolations && !ScanField(*field, bytes.substr(start, length), path, depth)) {
      return false;
    }
  }
  return input.ConsumedEntireMessage();
}

bool Scanner::ScanField(const FieldDescriptor& field, std::string_view value, const std::string& path,
                        int depth) {
  if (field.type() == FieldDescriptor::TYPE_STRING && !IsValidUtf8(value)) {
    violations_.push_back({path, "must be valid UTF-8"});
  }
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    return Scan(*field.message_type(), value, path + ".", depth + 1);
  }
  return true;
}

}  // namespace

std::vector<FieldViolation> FindUndecodableFields(const Descriptor& type, std::string_view bytes) {
  Scanner scanner;
  const bool well_formed = scanner.Scan(type, bytes, "", 0);
  std::vector<FieldViolation> violations = scanner.Take();
  if (violations.empty()) {
    violations.push_back(
        {std::string(type.name()), well_formed ? "cannot be decoded" : "is not a protobuf message"});
  }
  return violations;
}

std::vector<FieldViolation> FindUndecodableFields(const Descriptor& type, const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  std::string flat;
  if (bytes.Dump(&slices).ok()) {
    flat.reserve(bytes.Length());
    for (const grpc::Slice& slice : slices) {
      flat.append(reinterpret_cast<const char*>(slice.begin()), slice.size());  // SAFETY: bytes as bytes
    }
  }
  return FindUndecodableFields(type, flat);
}

}  // namespace caisson::dispatcher
