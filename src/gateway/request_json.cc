#include "gateway/request_json.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/utf8.h"
#include "gateway/json_reader.h"

namespace caisson::gateway {
namespace {

using Json = nlohmann::json;

// Of what a client wrote, in an answer that says what is wrong with it; and how much of that is said.
constexpr size_t kMaxQuotedBytes = 200;
constexpr size_t kMostViolations = 32;

// A field of bytes that was taken out of the JSON: base64 of megabytes need not go through protobuf's parser.
using Bytes = std::optional<std::string>;

// Takes the bytes of `bytes` (base64) or `text` (what people write) out of the object. An empty string is
// left where the bytes belong, so that protobuf still says what it says of a field that is there. Both
// together are a mistake.
Bytes TakeBytes(Json& object, const char* text, const char* bytes, const std::string& path,
                std::vector<Violation>& violations) {
  Bytes taken;
  if (const auto found = object.find(text); found != object.end()) {
    if (!found->is_string()) {
      violations.push_back({path + text, "must be a string"});
    } else if (object.contains(bytes)) {
      violations.push_back({path + text, std::string("must not stand beside ") + bytes});
    } else {
      taken = std::move(found->get_ref<std::string&>());
    }
    object.erase(text);
  } else if (const auto encoded = object.find(bytes); encoded != object.end() && encoded->is_string()) {
    const auto& base64 = encoded->get_ref<const std::string&>();
    taken.emplace();
    // Either alphabet, as protobuf's mapping has it.
    if (!absl::WebSafeBase64Unescape(base64, &*taken) && !absl::Base64Unescape(base64, &*taken)) {
      violations.push_back({path + bytes, "must be base64"});
    }
  }
  if (taken) {
    object[bytes] = "";
  }
  return taken;
}

// protobuf's parser reports "(files[0].content): invalid value …" or "name: Cannot find field.".
Violation ViolationOf(std::string_view message) {
  constexpr std::string_view kPrefix = "INVALID_ARGUMENT:";
  if (message.substr(0, kPrefix.size()) == kPrefix) {
    message.remove_prefix(kPrefix.size());
  }
  std::string field;
  if (!message.empty() && message.front() == '(') {
    const size_t end = std::min(message.find(')'), message.size() - 1);
    field = message.substr(1, end - 1);
    message.remove_prefix(end + 1);
  }
  while (!message.empty() && (message.front() == ':' || message.front() == ' ')) {
    message.remove_prefix(1);
  }
  constexpr std::string_view kUnknown = ": Cannot find field.";
  std::string description = EscapeUnprintable(message.substr(0, kMaxQuotedBytes));
  if (message.size() > kUnknown.size() && message.substr(message.size() - kUnknown.size()) == kUnknown) {
    const std::string name =
        EscapeUnprintable(message.substr(0, std::min(message.size() - kUnknown.size(), kMaxQuotedBytes)));
    field += (field.empty() ? "" : ".") + name;
    description = "there is no such field";
  }
  return {EscapeUnprintable(std::string_view(field).substr(0, kMaxQuotedBytes)), description};
}

Problem InvalidRequest(std::vector<Violation> violations) {
  violations.resize(std::min(violations.size(), kMostViolations));
  std::string detail = violations.front().field.empty()
                           ? violations.front().description
                           : violations.front().field + ": " + violations.front().description;
  return Refuse(Refusal::kInvalidRequest, std::move(detail), std::move(violations));
}

Json* ObjectIn(Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_object() ? &*found : nullptr;
}

// Of an ExecuteRequest.
struct RequestBytes {
  Bytes stdin_bytes;
  std::vector<Bytes> files;

  void MoveTo(v1::ExecuteRequest& request) && {
    if (stdin_bytes) {
      request.set_stdin(*std::move(stdin_bytes));
    }
    for (size_t i = 0; i < files.size(); ++i) {
      if (files[i]) {
        request.mutable_files(static_cast<int>(i))->set_content(*std::move(files[i]));
      }
    }
  }
};

// `path`: what the paths of its fields begin with.
RequestBytes TakeRequestBytes(Json& request, const std::string& path, std::vector<Violation>& violations) {
  RequestBytes taken;
  taken.stdin_bytes = TakeBytes(request, "stdin_text", "stdin", path, violations);
  if (const auto files = request.find("files"); files != request.end() && files->is_array()) {
    for (size_t i = 0; i < files->size(); ++i) {
      const std::string name = path + "files[" + std::to_string(i) + "]";
      if (!(*files)[i].is_object()) {
        violations.push_back({name, "must be an object"});
        continue;
      }
      taken.files.push_back(TakeBytes((*files)[i], "text", "content", name + ".", violations));
    }
  }
  return taken;
}

std::optional<Problem> ToMessage(const Json& json, std::vector<Violation> violations,
                                 google::protobuf::Message& message) {
  if (!violations.empty()) {
    return InvalidRequest(std::move(violations));
  }
  const google::protobuf::LogSilencer the_answer_says_it;
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), &message);
  if (!status.ok()) {
    return InvalidRequest({ViolationOf(status.ToString())});
  }
  return std::nullopt;
}

}  // namespace

std::optional<Problem> ParseExecuteRequest(std::string_view text, v1::ExecuteRequest& request) {
  Json json;
  if (std::optional<Problem> wrong = ParseJson(text, json)) {
    return wrong;
  }
  if (!json.is_object()) {
    return Refuse(Refusal::kMalformedJson, "the body must be an object, an ExecuteRequest");
  }
  std::vector<Violation> violations;
  RequestBytes bytes = TakeRequestBytes(json, "", violations);
  if (std::optional<Problem> wrong = ToMessage(json, std::move(violations), request)) {
    return wrong;
  }
  std::move(bytes).MoveTo(request);
  return std::nullopt;
}

std::optional<Problem> ParseInteractRequest(std::string_view text, v1::InteractRequest& message) {
  Json json;
  if (std::optional<Problem> wrong = ParseJson(text, json)) {
    return wrong;
  }
  if (!json.is_object()) {
    return Refuse(Refusal::kMalformedJson, "the message must be an object, an InteractRequest");
  }
  std::vector<Violation> violations;
  Bytes input = TakeBytes(json, "stdin_text", "stdin", "", violations);
  Bytes piece;
  RequestBytes request_bytes;
  if (Json* file = ObjectIn(json, "file")) {
    piece = TakeBytes(*file, "text", "data", "file.", violations);
  }
  if (Json* open = ObjectIn(json, "open")) {
    if (Json* request = ObjectIn(*open, "request")) {
      request_bytes = TakeRequestBytes(*request, "open.request.", violations);
    }
  }
  if (std::optional<Problem> wrong = ToMessage(json, std::move(violations), message)) {
    return wrong;
  }
  // At most one of them is there: protobuf refuses two fields of one oneof.
  if (input) {
    message.set_stdin(*std::move(input));
  } else if (piece) {
    message.mutable_file()->set_data(*std::move(piece));
  } else if (message.open().has_request()) {
    std::move(request_bytes).MoveTo(*message.mutable_open()->mutable_request());
  }
  return std::nullopt;
}

}  // namespace caisson::gateway
