// Run by caissond as whoever calls it. Input: the operator's files, read under the same rules as at a start.
#include "orchestrator/config_check.h"

#include <map>
#include <utility>

#include "common/status.h"
#include "orchestrator/capacity.h"
#include "orchestrator/config.h"
#include "orchestrator/host_places.h"
#include "orchestrator/profile_store.h"
#include "orchestrator/tenant_files.h"

namespace caisson::orchestrator {
namespace {

std::string Line(const std::string& text) { return text + "\n"; }

// Profiles compile against a kernel's Landlock version and a staging directory; any will do to find mistakes.
absl::StatusOr<ProfileStore> LoadProfiles(const Config& config, std::string& directory,
                                          std::map<std::string, std::string>& skipped) {
  directory = config.profiles_dir;
  if (directory.empty()) {
    ASSIGN_OR_RETURN(directory, FindProfiles());
  }
  sandbox::PlanOptions options;
  options.staging_path = config.state_dir + "/root";
  return ProfileStore::Load(directory, options, nullptr, config.learning_profiles, skipped);
}

}  // namespace

ConfigCheckResult CheckConfigFiles(const std::string& config_file) {
  ConfigCheckResult result;
  Config config;
  const std::string shown = config_file.empty() ? "defaults" : config_file;
  if (!config_file.empty()) {
    absl::StatusOr<Config> loaded = LoadConfig(config_file);
    if (!loaded.ok()) {
      // Which profiles it means is not known then.
      result.complaints = Line(Message(loaded.status()));
      return result;
    }
    config = *std::move(loaded);
  }
  if (const absl::Status ids = CheckIdCount(config, ChooseCapacity(config, HostMemoryBytes())); !ids.ok()) {
    result.complaints += Line(shown + ": " + Message(ids));
  } else {
    result.notes += Line(shown + ": ok");
  }
  if (const absl::StatusOr<TenantFiles> tenants = TenantFiles::Load(config); !tenants.ok()) {
    result.complaints += Line(Message(tenants.status()));
  } else if (!config.tenants_dir.empty() || !config.tokens_file.empty()) {
    const std::string& shown_place = config.tenants_dir.empty() ? config.tokens_file : config.tenants_dir;
    result.notes += Line(shown_place + ": ok, " + tenants->summary());
  }
  std::map<std::string, std::string> skipped;
  std::string directory;
  const absl::StatusOr<ProfileStore> profiles = LoadProfiles(config, directory, skipped);
  if (!profiles.ok()) {
    result.complaints += Line(Message(profiles.status()));
    return result;
  }
  result.notes +=
      Line(directory.append(": ok, ").append(std::to_string(profiles->size())).append(" profile steps"));
  for (const auto& [name, reason] : skipped) {
    result.notes += Line(std::string("profile ").append(name).append(" is not available: ").append(reason));
  }
  return result;
}

}  // namespace caisson::orchestrator
