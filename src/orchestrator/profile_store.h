// The profiles caissond serves, each step compiled once: its limits, its sealed plan, its filter's digest.
#ifndef CAISSON_ORCHESTRATOR_PROFILE_STORE_H_
#define CAISSON_ORCHESTRATOR_PROFILE_STORE_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "ipc/messages.h"
#include "orchestrator/image_mounts.h"
#include "policy/filter_cache.h"
#include "policy/limits.h"
#include "policy/profile.h"
#include "policy/profile_loader.h"
#include "sandbox/plan_builder.h"

namespace caisson::orchestrator {

struct StepPlan {
  UniqueFd plan;
  policy::LimitRange limits;
  std::array<uint8_t, 32> filter_digest{};
  uint32_t denials_per_second = 0;
  uint32_t landlock_abi = 0;
  bool terminal = false;
  bool learning = false;
  policy::NetworkMode network = policy::NetworkMode::kNone;
  ipc::RootKind root = ipc::RootKind::kHost;
  std::optional<dev_t> image_device;  // and its digest, of a root that is an image
  policy::ImageDigest root_digest{};
};

class ProfileStore {
 public:
  // Reads the directory's profiles as root trusts files, verifies and mounts their images, compiles every
  // filter and plan. Profiles whose toolchain is missing are left out; `skipped` names them with the reason.
  // Any other problem is an error: nothing is served. Without `images`, to look for mistakes only, nothing is
  // mounted, and profiles whose image was verified are left out too. The profiles named by `learning` get the
  // filters of learning runs, and no others; a name that is no available profile's is an error.
  static absl::StatusOr<ProfileStore> Load(const std::string& directory, const sandbox::PlanOptions& options,
                                           ImageMounts* images, const std::set<std::string>& learning,
                                           std::map<std::string, std::string>& skipped);

  bool HasProfile(const std::string& name) const;
  // nullptr if there is no such step, or it offers no terminal though one is wanted.
  const StepPlan* Find(const std::string& name, ipc::Step step, bool terminal = false) const;
  // Every plan, in one order for as long as this is not moved.
  std::vector<const StepPlan*> plans() const;
  size_t size() const { return steps_.size(); }
  // The highest ceiling of open_files of any step.
  uint64_t MostOpenFiles() const;

 private:
  // `learns_from`, if the profile learns: the groups that its ceiling is made of.
  absl::Status AddProfile(const policy::Profile& profile, const sandbox::PlanOptions& options,
                          ImageMounts* images, const policy::SyscallGroups* learns_from,
                          policy::FilterCache& filters, std::string& skip_reason);

  std::map<std::tuple<std::string, ipc::Step, bool>, StepPlan> steps_;  // the last: with a terminal
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_PROFILE_STORE_H_
