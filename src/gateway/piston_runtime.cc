#include "gateway/piston_runtime.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace caisson::gateway {
namespace {

using Json = nlohmann::ordered_json;

struct NameRow {
  const char* profile;
  const char* language;
  std::vector<std::string> aliases;
  const char* runtime;
};

// Where Piston's packages have other names than our profiles, or more of them. Profiles that are not here
// have their own name.
const std::array kNames = {
    NameRow{"bash", "bash", {"sh"}, ""},
    NameRow{"c", "c", {"gcc"}, "gcc"},
    NameRow{"cpp", "c++", {"cpp", "g++"}, "gcc"},
    NameRow{"go", "go", {"golang"}, ""},
    NameRow{"native", "file", {"executable", "elf", "binary"}, ""},
    NameRow{"node", "javascript", {"node-javascript", "node-js", "javascript", "js", "node"}, "node"},
    NameRow{"perl", "perl", {"pl"}, ""},
    NameRow{"python", "python", {"py", "py3", "python3"}, ""},
    NameRow{"ruby", "ruby", {"ruby3", "rb"}, ""},
    NameRow{"rust", "rust", {"rs"}, ""},
};

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

PistonRuntime RuntimeOf(const v1::Profile& profile) {
  PistonRuntime runtime;
  runtime.language = profile.name();
  const auto row = std::find_if(kNames.begin(), kNames.end(),
                                [&](const NameRow& one) { return profile.name() == one.profile; });
  if (row != kNames.end()) {
    runtime.language = row->language;
    runtime.aliases = row->aliases;
    runtime.runtime = row->runtime;
  }
  runtime.version = VersionOf(profile.toolchain_version());
  runtime.profile = profile.name();
  runtime.extension = profile.file_extension();
  runtime.main_file = profile.default_main_file();
  runtime.compiled = profile.steps_size() > 1;
  runtime.takes_binary = profile.name() == "native";
  runtime.ceilings = profile.ceilings();
  return runtime;
}

}  // namespace

std::vector<PistonRuntime> RuntimesOf(const v1::ListProfilesResponse& profiles) {
  std::vector<PistonRuntime> runtimes;
  for (const v1::Profile& profile : profiles.profiles()) {
    if (profile.available()) {
      runtimes.push_back(RuntimeOf(profile));
    }
  }
  return runtimes;
}

const PistonRuntime* FindRuntime(const std::vector<PistonRuntime>& runtimes, std::string_view language,
                                 std::string_view range) {
  const PistonRuntime* found = nullptr;
  for (const PistonRuntime& one : runtimes) {
    const bool named = one.language == language ||
                       std::find(one.aliases.begin(), one.aliases.end(), language) != one.aliases.end();
    if (named && IsInRange(one.version, range) && (found == nullptr || one.version > found->version)) {
      found = &one;
    }
  }
  return found;
}

std::string RuntimesJson(const std::vector<PistonRuntime>& runtimes) {
  auto list = Json::array();
  for (const PistonRuntime& one : runtimes) {
    Json entry;
    entry["language"] = one.language;
    entry["version"] = VersionText(one.version);
    entry["aliases"] = one.aliases;
    if (!one.runtime.empty()) {
      entry["runtime"] = one.runtime;
    }
    list.push_back(std::move(entry));
  }
  return Dump(list);
}

std::string PackagesJson(const std::vector<PistonRuntime>& runtimes) {
  auto list = Json::array();
  for (const PistonRuntime& one : runtimes) {
    Json entry;
    entry["language"] = one.runtime.empty() ? one.language : one.runtime;
    entry["language_version"] = VersionText(one.version);
    entry["installed"] = true;
    list.push_back(std::move(entry));
  }
  return Dump(list);
}

}  // namespace caisson::gateway
