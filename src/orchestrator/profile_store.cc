// Run by caissond at start, as root. Input: profile files that only root can have written.
#include "orchestrator/profile_store.h"

#include <utility>

#include "common/status.h"
#include "policy/image_file.h"
#include "policy/learning.h"
#include "policy/nearest.h"
#include "policy/toolchain.h"

namespace caisson::orchestrator {
namespace {

// Whose files the sandboxes of a profile show.
struct ProfileRoot {
  ipc::RootKind kind = ipc::RootKind::kHost;
  MountedImage image;  // kImage
  int directory() const { return kind == ipc::RootKind::kImage ? image.root.get() : policy::kHostRoot; }
};

absl::StatusOr<StepPlan> CompileStep(const policy::StepSection& step, const policy::SyscallFilter& rules,
                                     const sandbox::PlanOptions& options, const ProfileRoot& root,
                                     policy::FilterCache& filters) {
  ASSIGN_OR_RETURN(const policy::CompiledFilter filter, filters.Compile(rules));
  StepPlan plan;
  ASSIGN_OR_RETURN(plan.plan, sandbox::BuildPlan(step, filter, options));
  plan.limits = step.limits;
  plan.filter_digest = filter.digest;
  plan.denials_per_second = options.denials_per_second;
  plan.landlock_abi = options.landlock_abi;
  plan.terminal = options.terminal;
  plan.network = step.network;
  plan.root = root.kind;
  if (root.kind == ipc::RootKind::kImage) {
    plan.image_device = root.image.device;
    plan.root_digest = root.image.digest;
  }
  return plan;
}

std::string DidYouMean(const policy::ProfileSet& profiles, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [known_name, profile] : profiles) {
    known.push_back(known_name);
  }
  return policy::DidYouMean(known, name);
}

}  // namespace

absl::Status ProfileStore::AddProfile(const policy::Profile& profile, const sandbox::PlanOptions& options,
                                      ImageMounts* images, const policy::SyscallGroups* learns_from,
                                      policy::FilterCache& filters, std::string& skip_reason) {
  ProfileRoot root;
  if (profile.image) {
    if (images == nullptr) {
      RETURN_IF_ERROR(policy::OpenImage(*profile.image, policy::FileTrust::kRequireRootOwned).status());
      skip_reason = "its image is as the profile says; only a start mounts it";
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(root.image, images->Mount(*profile.image));
    root.kind = ipc::RootKind::kImage;
  }
  skip_reason = policy::UnavailableReason(profile, root.directory());
  if (!skip_reason.empty()) {
    return absl::OkStatus();
  }
  const auto add = [&](ipc::Step step, const policy::StepSection& section, bool terminal) -> absl::Status {
    sandbox::PlanOptions step_options = options;
    step_options.terminal = terminal;
    step_options.root = root.directory();
    const policy::SyscallFilter& own = terminal ? section.terminal_filter : section.filter;
    absl::StatusOr<StepPlan> plan = CompileStep(
        section, learns_from == nullptr ? own : policy::LearningFilter(own, section.network, *learns_from),
        step_options, root, filters);
    if (!plan.ok()) {
      return Prefix(plan.status(), "profile " + profile.name);
    }
    plan->learning = learns_from != nullptr;
    steps_.emplace(std::make_tuple(profile.name, step, terminal), std::move(plan).value());
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add(ipc::Step::kRun, profile.run, false));
  if (profile.interactive) {
    RETURN_IF_ERROR(add(ipc::Step::kRun, profile.run, true));
  }
  return profile.compile ? add(ipc::Step::kCompile, *profile.compile, false) : absl::OkStatus();
}

absl::StatusOr<ProfileStore> ProfileStore::Load(const std::string& directory,
                                                const sandbox::PlanOptions& options, ImageMounts* images,
                                                const std::set<std::string>& learning,
                                                std::map<std::string, std::string>& skipped) {
  ASSIGN_OR_RETURN(const policy::LoadedProfiles loaded,
                   policy::LoadProfilesAndGroups(directory, policy::FileTrust::kRequireRootOwned));
  ProfileStore store;
  policy::FilterCache filters;
  for (const auto& [name, profile] : loaded.profiles) {
    std::string reason;
    const policy::SyscallGroups* learns_from = learning.contains(name) ? &loaded.groups : nullptr;
    RETURN_IF_ERROR(store.AddProfile(profile, options, images, learns_from, filters, reason));
    if (!reason.empty()) {
      skipped[name] = std::move(reason);
    }
  }
  for (const std::string& name : learning) {
    if (!store.HasProfile(name)) {
      const auto reason = skipped.find(name);
      return absl::InvalidArgumentError(
          "learning_profiles: no profile '" + name + "' is available" +
          (reason == skipped.end() ? DidYouMean(loaded.profiles, name) : ": " + reason->second));
    }
  }
  return store;
}

std::vector<const StepPlan*> ProfileStore::plans() const {
  std::vector<const StepPlan*> plans;
  plans.reserve(steps_.size());
  for (const auto& [key, plan] : steps_) {
    plans.push_back(&plan);
  }
  return plans;
}

bool ProfileStore::HasProfile(const std::string& name) const {
  return Find(name, ipc::Step::kRun) != nullptr;
}

const StepPlan* ProfileStore::Find(const std::string& name, ipc::Step step, bool terminal) const {
  const auto found = steps_.find({name, step, terminal});
  return found == steps_.end() ? nullptr : &found->second;
}

uint64_t ProfileStore::MostOpenFiles() const {
  uint64_t most = 0;
  for (const auto& [key, plan] : steps_) {
    most = std::max(most, plan.limits.ceilings.Get(policy::LimitId::kOpenFiles));
  }
  return most;
}

}  // namespace caisson::orchestrator
