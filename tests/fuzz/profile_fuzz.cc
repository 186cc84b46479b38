// Fuzzes what reads profiles: the JSON parser, one profile's text, and resolving it against the groups it
// brings. Profiles are root's files, so this is about robustness: no crash, no hang, no exception, whatever
// stands in them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"
#include "policy/explain.h"
#include "policy/filter_compiler.h"
#include "policy/profile_resolver.h"
#include "policy/profile_source.h"
#include "policy/syscall_groups.h"

namespace {

using caisson::policy::CompileFilter;
using caisson::policy::ExplainProfile;
using caisson::policy::ParseJson;
using caisson::policy::ParseProfileText;
using caisson::policy::ParseSyscallGroups;
using caisson::policy::ProfileSources;
using caisson::policy::ResolveProfiles;

// Seeds hold a profile, a line "===", and the syscall groups it names.
constexpr std::string_view kSeparator = "\n===\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find(kSeparator);
  const std::string_view profile_text = input.substr(0, cut);
  const std::string_view groups_text = cut == std::string_view::npos
                                           ? std::string_view("{\"schema_version\": 1, \"groups\": {}}")
                                           : input.substr(cut + kSeparator.size());
  const auto json = ParseJson(profile_text, "p.json");
  const auto source = ParseProfileText(profile_text, "p.json");
  // What is no JSON is no profile.
  CAISSON_CHECK(json.ok() || !source.ok());
  const auto groups = ParseSyscallGroups(groups_text, "syscall-groups.json");
  if (!source.ok() || !groups.ok()) {
    return 0;
  }
  const auto profiles = ResolveProfiles(ProfileSources{{source->name.value, *source}}, *groups);
  if (!profiles.ok()) {
    return 0;
  }
  for (const auto& [name, profile] : *profiles) {
    CAISSON_CHECK(!ExplainProfile(profile).empty());
    // The loader found no fault, so the compiler must not either, unless the program gets too long.
    const auto compiled = CompileFilter(profile.run.filter);
    CAISSON_CHECK(compiled.ok() || caisson::Message(compiled.status()).starts_with("compile the filter: "));
  }
  return 0;
}
