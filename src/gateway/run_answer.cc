#include "gateway/run_answer.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "common/utf8.h"
#include "gateway/event_json.h"

namespace caisson::gateway {
namespace {

using Ordered = nlohmann::ordered_json;

// `name` where the bytes are text, `name`_base64 where they are not.
void PutBytes(Ordered& json, const std::string& name, const std::string& base64_name,
              const std::string& bytes) {
  if (IsValidUtf8(bytes)) {
    json[name] = bytes;
  } else {
    json[base64_name] = absl::Base64Escape(bytes);
  }
}

}  // namespace

bool RunAnswer::Take(const v1::RunEvent& event) {
  if (event.has_accepted()) {
    name_ = event.accepted().name();
  } else if (event.has_output()) {
    const v1::Output& output = event.output();
    Step& step = Of(output.step());
    compiled_ |= output.step() == "compile";
    (output.stream() == v1::STREAM_STDERR ? step.stderr_bytes : step.stdout_bytes) += output.data();
    step.both += output.data();
    bytes_ += 2 * output.data().size();
  } else if (event.has_output_file()) {
    const v1::OutputFile& piece = event.output_file();
    const auto [file, made] = files_.try_emplace(piece.path());
    if (made) {
      paths_.push_back(piece.path());
    }
    file->second.bytes += piece.data();
    file->second.executable = piece.executable();
    bytes_ += piece.data().size() + (made ? 2 * piece.path().size() : 0);
  } else if (event.has_step_finished()) {
    compiled_ |= event.step_finished().step() == "compile";
  } else if (event.has_finished()) {
    result_ = event.finished();
    finished_ = true;
  }
  return bytes_ <= kMaxBytes;
}

const std::string& RunAnswer::Bytes(std::string_view step, v1::Stream stream) const {
  return stream == v1::STREAM_STDERR ? Of(step).stderr_bytes : Of(step).stdout_bytes;
}

const std::string& RunAnswer::Both(std::string_view step) const { return Of(step).both; }

std::string RunAnswer::Json() const {
  Ordered json;
  json["name"] = name_;
  PutBytes(json, "stdout", "stdout_base64", steps_[1].stdout_bytes);
  PutBytes(json, "stderr", "stderr_base64", steps_[1].stderr_bytes);
  if (compiled_) {
    Ordered compile;
    PutBytes(compile, "stdout", "stdout_base64", steps_[0].stdout_bytes);
    PutBytes(compile, "stderr", "stderr_base64", steps_[0].stderr_bytes);
    json["compile"] = std::move(compile);
  }
  auto files = Ordered::array();
  for (const std::string& path : paths_) {
    const File& file = files_.at(path);
    Ordered entry;
    entry["path"] = path;
    entry["executable"] = file.executable;
    PutBytes(entry, "text", "base64", file.bytes);
    files.push_back(std::move(entry));
  }
  json["output_files"] = std::move(files);
  std::string text = json.dump(-1, ' ', false, Ordered::error_handler_t::replace);
  // The result is JSON already; reading it to write it again costs a tenth of a millisecond.
  const std::string result = MessageJson(result_);
  text.pop_back();
  text += ",\"result\":" + (result.empty() ? "{}" : result) + "}\n";
  return text;
}

}  // namespace caisson::gateway
