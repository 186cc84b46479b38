#include "gateway/piston_request.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "absl/strings/escaping.h"
#include "common/utf8.h"

namespace caisson::gateway {
namespace {

using Json = nlohmann::json;
using Refused = std::optional<std::string>;

constexpr size_t kMaxQuotedBytes = 100;
constexpr double kMostNumber = 1e15;  // beyond it a double has no fractions to round

const std::string* TextIn(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? &found->get_ref<const std::string&>() : nullptr;
}

std::string Quoted(std::string_view text) { return EscapeUnprintable(text.substr(0, kMaxQuotedBytes)); }

std::string Place(size_t index) { return "files[" + std::to_string(index) + "]"; }

std::string EncodingOf(const Json& file) {
  const std::string* encoding = TextIn(file, "encoding");
  return encoding != nullptr && (*encoding == "base64" || *encoding == "hex") ? *encoding : "utf8";
}

std::optional<std::string> FromHex(const std::string& text) {
  if (text.size() % 2 != 0 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
    return std::nullopt;
  }
  return absl::HexStringToBytes(text);
}

std::optional<std::string> FromBase64(const std::string& text) {
  std::string bytes;
  if (absl::Base64Unescape(text, &bytes) || absl::WebSafeBase64Unescape(text, &bytes)) {
    return bytes;
  }
  return std::nullopt;
}

Refused TakeFile(const Json& file, size_t index, v1::InputFile& out) {
  const std::string* content = file.is_object() ? TextIn(file, "content") : nullptr;
  if (content == nullptr) {
    return Place(index) + ".content is required as a string";
  }
  if (const std::string* name = TextIn(file, "name")) {
    out.set_path(*name);
  }
  const std::string encoding = EncodingOf(file);
  if (encoding == "utf8") {
    out.set_content(*content);
    return std::nullopt;
  }
  std::optional<std::string> bytes = encoding == "hex" ? FromHex(*content) : FromBase64(*content);
  if (!bytes) {
    return Place(index) + ".content is not " + encoding;
  }
  out.set_content(*std::move(bytes));
  return std::nullopt;
}

// A program without a name gets its profile's, since compilers go by the end of a name; so does the source of
// a compiled one that has another end.
void NameFiles(const PistonRuntime& runtime, size_t main, v1::ExecuteRequest& request) {
  for (int i = 0; i < request.files_size(); ++i) {
    std::string& path = *request.mutable_files(i)->mutable_path();
    const bool is_main = static_cast<size_t>(i) == main;
    if (path.empty()) {
      path = is_main ? runtime.main_file : "file" + std::to_string(i) + runtime.extension;
    } else if (is_main && runtime.compiled && !path.ends_with(runtime.extension)) {
      path += runtime.extension;
    }
  }
  request.set_main_file(request.files(static_cast<int>(main)).path());
}

Refused TakeFiles(const Json& files, const PistonRuntime& runtime, v1::ExecuteRequest& request) {
  std::optional<size_t> main;
  for (size_t i = 0; i < files.size(); ++i) {
    if (Refused refused = TakeFile(files[i], i, *request.add_files())) {
      return refused;
    }
    if (!main && (runtime.takes_binary || EncodingOf(files[i]) == "utf8")) {
      main = i;
    }
  }
  if (!main) {
    return "files must include at least one utf8 encoded file";
  }
  NameFiles(runtime, *main, request);
  return std::nullopt;
}

Refused TakeArgs(const Json& json, v1::ExecuteRequest& request) {
  const auto found = json.find("args");
  if (found == json.end() || found->is_null()) {
    return std::nullopt;
  }
  const bool good = found->is_array() && std::all_of(found->begin(), found->end(),
                                                     [](const Json& one) { return one.is_string(); });
  if (!good) {
    return "args must be an array of strings";
  }
  for (const Json& one : *found) {
    request.add_args(one.get_ref<const std::string&>());
  }
  return std::nullopt;
}

// Piston's "no limit of its own".
constexpr double kUnlimited = -1;

// `value` stays 0 where the client leaves it to us. `ceiling` 0: none is known.
Refused TakeLimit(const Json& json, const std::string& name, uint64_t ceiling, uint64_t& value) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null() || *found == false || *found == "") {
    return std::nullopt;
  }
  if (!found->is_number()) {
    return "If specified, " + name + " must be a number";
  }
  const double number = found->get<double>();
  if (number == 0 || (number == kUnlimited && name.ends_with("_memory_limit"))) {
    return std::nullopt;
  }
  if (number < 0) {
    return name + " must be non-negative";
  }
  if (number > kMostNumber || (ceiling > 0 && number > static_cast<double>(ceiling))) {
    return name + " cannot exceed the configured limit of " +
           std::to_string(ceiling > 0 ? ceiling : static_cast<uint64_t>(kMostNumber));
  }
  value = static_cast<uint64_t>(std::ceil(number));
  return std::nullopt;
}

// Those of the compile step have the profile's values: theirs are looked at, and go no further.
Refused TakeLimits(const Json& json, const v1::Limits& ceilings, v1::Limits& limits) {
  for (const char* name : {"compile_memory_limit", "compile_timeout", "compile_cpu_time"}) {
    uint64_t ignored = 0;
    if (Refused refused = TakeLimit(json, name, 0, ignored)) {
      return refused;
    }
  }
  uint64_t memory = 0;
  uint64_t wall = 0;
  uint64_t cpu = 0;
  Refused refused = TakeLimit(json, "run_memory_limit", ceilings.memory_bytes(), memory);
  refused = refused ? refused : TakeLimit(json, "run_timeout", ceilings.wall_time_ms(), wall);
  refused = refused ? refused : TakeLimit(json, "run_cpu_time", ceilings.cpu_time_ms(), cpu);
  if (memory > 0) {
    limits.set_memory_bytes(memory);
  }
  if (wall > 0) {
    limits.set_wall_time_ms(wall);
  }
  if (cpu > 0) {
    limits.set_cpu_time_ms(cpu);
  }
  return refused;
}

}  // namespace

Refused ParsePistonJob(const Json& json, const std::vector<PistonRuntime>& runtimes, PistonJob& job) {
  const std::string* language = TextIn(json, "language");
  if (language == nullptr || language->empty()) {
    return "language is required as a string";
  }
  const std::string* version = TextIn(json, "version");
  if (version == nullptr || version->empty()) {
    return "version is required as a string";
  }
  const auto files = json.find("files");
  if (files == json.end() || !files->is_array()) {
    return "files is required as an array";
  }
  job.runtime = FindRuntime(runtimes, *language, *version);
  if (job.runtime == nullptr) {
    return Quoted(*language) + "-" + Quoted(*version) + " runtime is unknown";
  }
  job.request.set_profile(job.runtime->profile);
  if (Refused refused = TakeFiles(*files, *job.runtime, job.request)) {
    return refused;
  }
  if (Refused refused = TakeArgs(json, job.request)) {
    return refused;
  }
  if (Refused refused = TakeLimits(json, job.runtime->ceilings, *job.request.mutable_limits())) {
    return refused;
  }
  (*job.request.mutable_env())["PISTON_LANGUAGE"] = job.runtime->language;
  job.request.set_output_overflow(v1::OUTPUT_OVERFLOW_KILL);
  return std::nullopt;
}

Refused ParsePistonStdin(const Json& json, std::string& input) {
  const auto found = json.find("stdin");
  if (found != json.end() && !found->is_null()) {
    if (!found->is_string()) {
      return "stdin must be a string";
    }
    input = found->get_ref<const std::string&>();
  }
  if (input.empty() || input.back() != '\n') {
    input += '\n';
  }
  return std::nullopt;
}

}  // namespace caisson::gateway
