// Run by caissond at start, as root. Input: profile files that only root can have written.
#include "orchestrator/profile_store.h"

#include "common/status.h"
#include "policy/filter_compiler.h"
#include "policy/learning.h"
#include "policy/nearest.h"
#include "policy/toolchain.h"

namespace caisson::orchestrator {
namespace {

absl::StatusOr<StepPlan> CompileStep(const policy::StepSection& step, const policy::SyscallFilter& rules,
                                     const sandbox::PlanOptions& options) {
  ASSIGN_OR_RETURN(const policy::CompiledFilter filter, policy::CompileFilter(rules));
  StepPlan plan;
  ASSIGN_OR_RETURN(plan.plan, sandbox::BuildPlan(step, filter, options));
  plan.limits = step.limits;
  plan.filter_digest = filter.digest;
  plan.denials_per_second = options.denials_per_second;
  plan.landlock_abi = options.landlock_abi;
  plan.terminal = options.terminal;
  plan.network = step.network;
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

absl::StatusOr<ProfileStore> ProfileStore::Load(const std::string& directory,
                                                const sandbox::PlanOptions& options,
                                                const std::set<std::string>& learning,
                                                std::map<std::string, std::string>& skipped) {
  ASSIGN_OR_RETURN(const policy::LoadedProfiles loaded,
                   policy::LoadProfilesAndGroups(directory, policy::FileTrust::kRequireRootOwned));
  ProfileStore store;
  for (const auto& [name, profile] : loaded.profiles) {
    if (std::string reason = policy::UnavailableReason(profile); !reason.empty()) {
      skipped[name] = std::move(reason);
      continue;
    }
    const auto add = [&, &profile_name = name](ipc::Step step, const policy::StepSection& section,
                                               bool terminal = false) -> absl::Status {
      sandbox::PlanOptions step_options = options;
      step_options.terminal = terminal;
      const policy::SyscallFilter& own = terminal ? section.terminal_filter : section.filter;
      const bool learns = learning.contains(profile_name);
      absl::StatusOr<StepPlan> plan = CompileStep(
          section, learns ? policy::LearningFilter(own, section.network, loaded.groups) : own, step_options);
      if (!plan.ok()) {
        return Prefix(plan.status(), "profile " + profile_name);
      }
      plan->learning = learns;
      store.steps_.emplace(std::make_tuple(profile_name, step, terminal), std::move(plan).value());
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(add(ipc::Step::kRun, profile.run));
    if (profile.interactive) {
      RETURN_IF_ERROR(add(ipc::Step::kRun, profile.run, true));
    }
    if (profile.compile) {
      RETURN_IF_ERROR(add(ipc::Step::kCompile, *profile.compile));
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
