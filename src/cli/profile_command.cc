#include "cli/profile_command.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/client.h"
#include "cli/doctor_command.h"
#include "cli/exit_code.h"
#include "cli/json_output.h"
#include "cli/streams.h"
#include "cli/text.h"
#include "common/status.h"
#include "policy/explain.h"
#include "policy/lint.h"
#include "policy/profile_loader.h"
#include "policy/toolchain.h"

namespace caisson::cli {
namespace {

int Fail(const absl::Status& status) {
  Complain(Message(status));
  // Complaints about the files' content are findings; everything else means that nothing was looked at.
  return absl::IsInvalidArgument(status) ? kExitFindings : kExitService;
}

absl::StatusOr<policy::ProfileSet> Load(const ProfileOptions& options) {
  std::string directory = options.directory;
  if (directory.empty()) {
    ASSIGN_OR_RETURN(directory, DefaultProfilesDirectory(ExecutableDirectory()));
  }
  return policy::LoadProfiles(directory, policy::FileTrust::kAnyOwner);
}

// The profiles the options name: all, or one.
absl::StatusOr<std::vector<policy::Profile>> Select(const ProfileOptions& options) {
  ASSIGN_OR_RETURN(const policy::ProfileSet set, Load(options));
  std::vector<policy::Profile> selected;
  for (const auto& [name, profile] : set) {
    if (options.name.empty() || options.name == name) {
      selected.push_back(profile);
    }
  }
  if (selected.empty() && !options.name.empty()) {
    const std::vector<std::string> nearest = policy::NearestNames(set, options.name);
    return absl::NotFoundError("no profile is named '" + Printable(options.name) + "'" +
                               (nearest.empty() ? "" : "; did you mean " + JoinNames(nearest) + "?"));
  }
  return selected;
}

v1::Profile ToMessage(const policy::Profile& profile) {
  v1::Profile message;
  message.set_name(profile.name);
  message.set_display_name(profile.display_name);
  message.set_description(profile.description);
  message.set_file_extension(profile.file_extension);
  message.set_default_main_file(profile.default_main_file);
  message.set_hello_program(profile.hello_program);
  message.set_unavailable_reason(policy::UnavailableReason(profile));
  message.set_available(message.unavailable_reason().empty());
  message.set_variant_of(profile.variant_of);
  message.set_root(profile.image ? "image" : "host");
  message.set_root_digest(profile.image ? profile.image->digest : "");
  if (profile.compile.has_value()) {
    message.add_steps("compile");
  }
  message.add_steps("run");
  return message;
}

int PrintList(const std::vector<v1::Profile>& profiles, bool json) {
  if (json) {
    v1::ListProfilesResponse response;
    for (const v1::Profile& profile : profiles) {
      *response.add_profiles() = profile;
    }
    return PrintJson(response);
  }
  return Print(ProfilesTable(profiles));
}

}  // namespace

absl::StatusOr<std::string> DefaultProfilesDirectory(const std::string& executable_directory) {
  const std::filesystem::path base(executable_directory);
  const std::filesystem::path beside_build = (base / "../../profiles").lexically_normal();
  const std::filesystem::path installed = (base / "../share/caisson/profiles").lexically_normal();
  for (const auto& candidate : {beside_build, installed}) {
    std::error_code ignored;
    if (std::filesystem::is_directory(candidate, ignored)) {
      return candidate.string();
    }
  }
  return absl::NotFoundError("find the profiles: neither " + beside_build.string() + " nor " +
                             installed.string() + " is a directory; give --profiles DIR");
}

std::string ProfilesTable(const std::vector<v1::Profile>& profiles) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "LANGUAGE", "EXTENSION", "TOOLCHAIN", "ROOT", "AVAILABLE"}};
  const auto cell = [](const std::string& text) {
    return text.empty() ? std::string("-") : Printable(text, kMaxCellBytes);
  };
  for (const v1::Profile& profile : profiles) {
    rows.push_back({cell(profile.name()), cell(profile.display_name()), cell(profile.file_extension()),
                    cell(profile.toolchain_version()), cell(profile.root()),
                    profile.available() ? "yes" : "no: " + Printable(profile.unavailable_reason())});
  }
  return TableText(rows);
}

int ProfileListCommand(const ProfileOptions& options, const Server& server) {
  std::vector<v1::Profile> profiles;
  if (options.directory.empty()) {
    Client client(server);
    if (const grpc::Status status = client.ListProfiles(profiles); !status.ok()) {
      Complain(client.Explain(status));
      return kExitService;
    }
    return PrintList(profiles, options.json);
  }
  const absl::StatusOr<policy::ProfileSet> set = Load(options);
  if (!set.ok()) {
    return Fail(set.status());
  }
  for (const auto& [name, profile] : *set) {
    profiles.push_back(ToMessage(profile));
  }
  return PrintList(profiles, options.json);
}

int ProfileLintCommand(const ProfileOptions& options) {
  const absl::StatusOr<std::vector<policy::Profile>> profiles = Select(options);
  if (!profiles.ok()) {
    return Fail(profiles.status());
  }
  int findings = 0;
  std::string text;
  for (const policy::Profile& profile : *profiles) {
    for (const std::string& finding : policy::LintProfile(profile)) {
      text += profile.source_file + ": " + finding + "\n";
      ++findings;
    }
  }
  text += std::to_string(profiles->size()) + (profiles->size() == 1 ? " profile, " : " profiles, ") +
          std::to_string(findings) + (findings == 1 ? " finding\n" : " findings\n");
  const int printed = Print(text);
  return printed != kExitOk || findings == 0 ? printed : kExitFindings;
}

int ProfileExplainCommand(const ProfileOptions& options) {
  const absl::StatusOr<std::vector<policy::Profile>> profiles = Select(options);
  if (!profiles.ok()) {
    return Fail(profiles.status());
  }
  std::string text;
  for (const policy::Profile& profile : *profiles) {
    text += (text.empty() ? "" : "\n") + policy::ExplainProfile(profile);
  }
  return Print(text);
}

}  // namespace caisson::cli
