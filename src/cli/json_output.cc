#include "cli/json_output.h"

#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/status.h"

namespace caisson::cli {

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  // Fails for messages with Any of unknown types, of which the API has none.
  CAISSON_CHECK(google::protobuf::util::MessageToJsonString(message, &text, options).ok());
  return text;
}

std::string RunResultJson(const v1::RunResult& result, const std::string& stdout_bytes,
                          const std::string& stderr_bytes,
                          const std::map<std::string, std::string>& output_bytes) {
  using Json = nlohmann::ordered_json;
  Json json = Json::parse(MessageJson(result), nullptr, false);
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
    Json output = Json::parse(MessageJson(file), nullptr, false);
    const auto found = output_bytes.find(file.path());
    output["content"] = absl::Base64Escape(found == output_bytes.end() ? "" : found->second);
    outputs.push_back(std::move(output));
  }
  json["outputs"] = std::move(outputs);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace caisson::cli
