#include "gateway/request_json.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/status.h"
#include "common/utf8.h"

namespace caisson::gateway {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxQuotedBytes = 200;

// First pass: nothing is kept but the names of the objects that are open.
class BoundsCheck final : public nlohmann::json_sax<Json> {
 public:
  const std::string& reason() const { return reason_; }

  bool null() override { return Count(); }
  bool boolean(bool /*value*/) override { return Count(); }
  bool number_integer(number_integer_t /*value*/) override { return Count(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return Count(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return Count(); }
  bool string(string_t& /*value*/) override { return Count(); }
  bool binary(binary_t& /*value*/) override { return Count(); }
  bool start_object(std::size_t /*elements*/) override {
    names_.emplace_back();
    return Enter();
  }
  bool end_object() override {
    names_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override { return Enter(); }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) {
      return Stop("the name \"" + EscapeUnprintable(std::string_view(name).substr(0, kMaxQuotedBytes)) +
                  "\" stands twice in one object");
    }
    return Count();
  }
  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const Json::exception& /*error*/) override {
    return Stop("the body is not JSON: byte " + std::to_string(position) + " cannot stand there");
  }

 private:
  bool Enter() {
    if (++depth_ > kMaxJsonDepth) {
      return Stop("the body is nested more than " + std::to_string(kMaxJsonDepth) + " deep");
    }
    return Count();
  }
  bool Count() {
    return ++values_ <= kMaxJsonValues ||
           Stop("the body has more than " + std::to_string(kMaxJsonValues) + " names and values");
  }
  bool Stop(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  std::vector<std::set<std::string>> names_;
  size_t depth_ = 0;
  size_t values_ = 0;
  std::string reason_;
};

// `text` → `content`: what people write becomes what the proto has. Both together are a mistake.
void TakeText(Json& object, const char* text, const char* bytes, const std::string& path,
              std::vector<Violation>& violations) {
  const auto found = object.find(text);
  if (found == object.end()) {
    return;
  }
  if (!found->is_string()) {
    violations.push_back({path + text, "must be a string"});
  } else if (object.contains(bytes)) {
    violations.push_back({path + text, std::string("must not stand beside ") + bytes});
  } else {
    object[bytes] = absl::Base64Escape(found->get_ref<const std::string&>());
  }
  object.erase(text);
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
  return {EscapeUnprintable(field), description};
}

Problem InvalidRequest(std::vector<Violation> violations) {
  std::string detail = violations.front().field.empty()
                           ? violations.front().description
                           : violations.front().field + ": " + violations.front().description;
  return Refuse(Refusal::kInvalidRequest, std::move(detail), std::move(violations));
}

Json* ObjectIn(Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_object() ? &*found : nullptr;
}

// The additions to an ExecuteRequest, whose fields' paths begin with `path`.
void TakeRequestTexts(Json& request, const std::string& path, std::vector<Violation>& violations) {
  TakeText(request, "stdin_text", "stdin", path, violations);
  if (const auto files = request.find("files"); files != request.end() && files->is_array()) {
    for (size_t i = 0; i < files->size(); ++i) {
      if ((*files)[i].is_object()) {
        TakeText((*files)[i], "text", "content", path + "files[" + std::to_string(i) + "].", violations);
      }
    }
  }
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

std::optional<Problem> ParseJson(std::string_view text, Json& json) {
  BoundsCheck check;
  if (!Json::sax_parse(text, &check)) {
    return Refuse(Refusal::kMalformedJson, check.reason());
  }
  json = Json::parse(text, nullptr, false);
  CAISSON_CHECK(!json.is_discarded());
  return std::nullopt;
}

std::optional<Problem> ParseExecuteRequest(std::string_view text, v1::ExecuteRequest& request) {
  Json json;
  if (std::optional<Problem> wrong = ParseJson(text, json)) {
    return wrong;
  }
  if (!json.is_object()) {
    return Refuse(Refusal::kMalformedJson, "the body must be an object, an ExecuteRequest");
  }
  std::vector<Violation> violations;
  TakeRequestTexts(json, "", violations);
  return ToMessage(json, std::move(violations), request);
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
  TakeText(json, "stdin_text", "stdin", "", violations);
  if (Json* file = ObjectIn(json, "file")) {
    TakeText(*file, "text", "data", "file.", violations);
  }
  if (Json* open = ObjectIn(json, "open")) {
    if (Json* request = ObjectIn(*open, "request")) {
      TakeRequestTexts(*request, "open.request.", violations);
    }
  }
  return ToMessage(json, std::move(violations), message);
}

}  // namespace caisson::gateway
