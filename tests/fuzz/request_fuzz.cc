// Fuzzes the way of a client's bytes: ExecuteRequest on the wire → protobuf → checked values → the bundle
// that the stub will read. Every byte is a client's. What is refused says why; what is accepted comes out of
// the bundle as it went in.
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/files.h"
#include "common/memfd.h"
#include "common/status.h"
#include "dispatcher/field_count.h"
#include "dispatcher/request_intake.h"
#include "dispatcher/status_details.h"
#include "dispatcher/test_profiles.h"
#include "dispatcher/undecodable_fields.h"
#include "sandbox/init/bundle_reader.h"

namespace caisson::dispatcher {
namespace {

constexpr uint64_t kMemoryBytes = 8ULL << 30U;
constexpr uint64_t kUploadBytes = 4ULL << 20U;
constexpr size_t kMostBundleBytes = 64ULL << 20U;

grpc::ByteBuffer Buffer(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return {&slice, 1};
}

void CheckRefusal(const grpc::Status& status, const grpc::ByteBuffer& buffer, std::string_view bytes) {
  CAISSON_CHECK(!status.error_message().empty() && !ReasonOf(status).empty());
  v1::ExecuteRequest request;
  const bool parses = request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!parses && !HasTooManyFields(*v1::ExecuteRequest::descriptor(), buffer)) {
    CAISSON_CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
    CAISSON_CHECK(!FindUndecodableFields(*v1::ExecuteRequest::descriptor(), bytes).empty());
  }
}

// The files of the bundle are those of the request, whatever order they have there.
void CheckBundle(const std::string& text, const v1::ExecuteRequest& request) {
  init::BundleReader reader(reinterpret_cast<const unsigned char*>(text.data()), text.size());
  CAISSON_CHECK(reader.valid());
  std::map<std::string, std::string> files;
  std::vector<std::string> arguments;
  init::BundleItem item{};
  while (reader.Next(item)) {
    const std::string name(item.name, item.name_bytes);
    if (item.type == wire::BundleRecord::kFile) {
      const std::string content(reinterpret_cast<const char*>(item.data), item.data_bytes);
      CAISSON_CHECK(files.emplace(name, content).second);
    } else if (item.type == wire::BundleRecord::kArgument) {
      arguments.push_back(name);
    }
  }
  CAISSON_CHECK(reader.valid() && files.size() == static_cast<size_t>(request.files_size()));
  for (const auto& file : request.files()) {
    CAISSON_CHECK(files.at(file.path()) == file.content());
  }
  CAISSON_CHECK(std::equal(arguments.begin(), arguments.end(), request.args().begin(), request.args().end()));
}

void FuzzOne(std::string_view bytes) {
  static const ProfileCatalog catalog = TestCatalog();
  static const RequestIntake intake(catalog, kMemoryBytes, kUploadBytes);
  // It would print each string that is not UTF-8.
  [[maybe_unused]] static auto* const loud = google::protobuf::SetLogHandler(nullptr);
  const grpc::ByteBuffer buffer = Buffer(bytes);
  RunSpec spec;
  const grpc::Status status = intake.Decode(buffer, spec);
  if (!status.ok()) {
    return CheckRefusal(status, buffer, bytes);
  }
  v1::ExecuteRequest request;
  CAISSON_CHECK(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  CAISSON_CHECK(catalog.Find(request.profile()) != nullptr);
  CAISSON_CHECK(CheckSealedMemfd(spec.bundle.get(), wire::kMaxBundleBytes).ok());
  CAISSON_CHECK(spec.memory_bytes > 0 && spec.memory_bytes <= kMemoryBytes);
  if (!spec.compile.has_value()) {
    const auto text = ReadFile("/proc/self/fd/" + std::to_string(spec.bundle.get()), kMostBundleBytes);
    CAISSON_CHECK(text.ok());
    CheckBundle(*text, request);
  }
}

}  // namespace
}  // namespace caisson::dispatcher

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  caisson::dispatcher::FuzzOne(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
