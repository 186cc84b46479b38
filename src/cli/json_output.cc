#include "cli/json_output.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "cli/exit_code.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"

namespace caisson::cli {

absl::StatusOr<std::string> MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  const google::protobuf::LogSilencer one_line_says_it;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) {
    return absl::InternalError("the server's answer has no form in JSON: " +
                               std::string(status.message().data(), status.message().size()));
  }
  return text;
}

int PrintJson(const google::protobuf::Message& message) {
  const absl::StatusOr<std::string> text = MessageJson(message);
  if (!text.ok()) {
    Complain(Printable(Message(text.status())));
    return kExitService;
  }
  return Print(*text + "\n");
}

absl::StatusOr<std::string> RunResultJson(const v1::RunResult& result, const std::string& stdout_bytes,
                                          const std::string& stderr_bytes,
                                          const std::map<std::string, std::string>& output_bytes) {
  using Json = nlohmann::ordered_json;
  ASSIGN_OR_RETURN(const std::string text, MessageJson(result));
  Json json = Json::parse(text, nullptr, false);
  CAISSON_CHECK(json.is_object());
  for (const char* stream : {"stdout", "stderr"}) {
    if (json.contains(stream)) {
      Json count = std::move(json[stream]);
      json.erase(stream);
      json[std::string(stream) + "_count"] = std::move(count);
    }
  }
  json["stdout"] = stdout_bytes;
  json["stderr"] = stderr_bytes;
  Json outputs = Json::array();
  for (const v1::CollectedFile& file : result.outputs()) {
    ASSIGN_OR_RETURN(const std::string file_text, MessageJson(file));
    Json output = Json::parse(file_text, nullptr, false);
    const auto found = output_bytes.find(file.path());
    output["content"] = absl::Base64Escape(found == output_bytes.end() ? "" : found->second);
    outputs.push_back(std::move(output));
  }
  json["outputs"] = std::move(outputs);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace caisson::cli
