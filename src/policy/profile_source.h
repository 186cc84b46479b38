// One profile file as it was written: nothing inherited yet, every value with its place. Pure; the file's
// text comes from profile_loader, which has checked who could have written it.
#ifndef CAISSON_POLICY_PROFILE_SOURCE_H_
#define CAISSON_POLICY_PROFILE_SOURCE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/limits.h"
#include "policy/located.h"
#include "policy/profile.h"

namespace caisson::policy {

struct LimitSource {
  std::optional<Located<uint64_t>> default_value;
  std::optional<Located<uint64_t>> ceiling;
};

struct EnvironmentValue {
  std::string value;
  std::string why;  // may be empty: PATH needs none
};

struct LimitHintSource {
  std::string argument;  // either this, or the next two
  std::string variable;
  std::string value;
  std::optional<uint64_t> percent;
  std::string why;
};

// Names are file names, command-line words and fixed-size fields of a message: 1 to 63 of a-z, 0-9 and '-', a
// letter first.
bool IsProfileName(const std::string& name);

// Letters, digits and '_', and no digit first.
bool IsVariableName(const std::string& name);

struct StepSource {
  std::optional<Located<std::vector<std::string>>> command;
  std::optional<Located<std::vector<std::string>>> outputs;
  std::map<std::string, Located<EnvironmentValue>> environment;
  std::vector<Located<LimitHintSource>> limit_hints;
  std::vector<Located<BindMount>> mounts;
  std::vector<Located<Symlink>> symlinks;
  std::vector<Located<TextFile>> files;
  std::optional<Located<bool>> box_executable;
  std::optional<Located<NetworkMode>> network;
  std::map<LimitId, LimitSource> limits;
  std::vector<Located<std::string>> groups;
  std::vector<Located<SyscallRule>> rules;
};

struct ProfileSource {
  std::string file;
  Located<std::string> name;
  std::optional<Located<std::string>> extends;
  bool abstract = false;  // for others to extend; never a profile by itself
  std::optional<Located<std::string>> display_name;
  std::optional<Located<std::string>> description;
  std::optional<Located<std::string>> file_extension;
  std::optional<Located<std::string>> default_main_file;
  std::optional<Located<std::string>> hello_program;
  std::optional<Located<std::string>> toolchain_package;
  std::optional<Located<std::string>> toolchain_probe;
  std::map<std::string, Located<Library>> packages;
  std::optional<Located<bool>> interactive;
  std::optional<Located<std::optional<RootImage>>> root;  // nullopt inside: the host's
  // What every step has, and what one step has besides. A profile has a compile step if it, or one it
  // extends, says so.
  std::optional<StepSource> all;
  std::optional<StepSource> compile;
  std::optional<StepSource> run;
};

// Parses the text of one profile. `file` appears in messages only. kInvalidArgument with every complaint, one
// a line.
absl::StatusOr<ProfileSource> ParseProfileText(std::string_view text, const std::string& file);

}  // namespace caisson::policy

#endif  // CAISSON_POLICY_PROFILE_SOURCE_H_
