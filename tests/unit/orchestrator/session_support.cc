#include "session_support.h"

#include <cstdlib>
#include <filesystem>

#include "ipc/bundle_writer.h"
#include "orchestrator/host_places.h"
#include "policy/filter_compiler.h"
#include "policy/profile_loader.h"
#include "sandbox/kernel_features.h"
#include "sandbox/landlock_host.h"
#include "sandbox/plan_builder.h"

namespace caisson::orchestrator {

void SessionTest::SetUp() {
  CAISSON_NEEDS_ROOT();
  std::string name = (std::filesystem::temp_directory_path() / "caisson-session-XXXXXX").string();
  state_dir_ = mkdtemp(name.data());
  const auto staging = EnterPrivateMounts(state_dir_);
  ASSERT_TRUE(staging.ok()) << Message(staging.status());
  auto backend = CgroupBackend::Open("caisson-test-" + std::to_string(getpid()) + "-session");
  ASSERT_TRUE(backend.ok()) << Message(backend.status());
  cgroups_ = *std::move(backend);
  auto spawner = sandbox::Spawner::Create();
  ASSERT_TRUE(spawner.ok()) << Message(spawner.status());
  spawner_.emplace(*std::move(spawner));
  const auto profiles = policy::LoadProfiles(CAISSON_PROFILES_DIR, policy::FileTrust::kAnyOwner);
  ASSERT_TRUE(profiles.ok()) << Message(profiles.status());
  const policy::StepSection& python = profiles->at("python").run;
  Compile(python, python.filter, *staging, plan_);
  terminal_plan_.terminal = true;
  Compile(python, python.terminal_filter, *staging, terminal_plan_);
}

void SessionTest::TearDown() {
  session_.reset();
  builder_.reset();
  if (cgroups_ != nullptr) {
    EXPECT_TRUE(cgroups_->RemoveInstance().ok());
  }
  std::error_code ignored;
  std::filesystem::remove_all(state_dir_, ignored);
}

void SessionTest::Compile(const policy::StepSection& step, const policy::SyscallFilter& rules,
                          const std::string& staging, StepPlan& plan) {
  const auto filter = policy::CompileFilter(rules);
  ASSERT_TRUE(filter.ok());
  sandbox::PlanOptions options;
  options.staging_path = staging;
  options.landlock_abi = *sandbox::LandlockAbi();
  options.notify_flags = sandbox::NotifyFlags();
  options.terminal = plan.terminal;
  auto built = sandbox::BuildPlan(step, *filter, options);
  ASSERT_TRUE(built.ok()) << Message(built.status());
  plan.plan = *std::move(built);
  plan.limits = step.limits;
  plan.filter_digest = filter->digest;
  plan.denials_per_second = options.denials_per_second;
  plan.landlock_abi = options.landlock_abi;
}

UniqueFd SessionTest::Bundle() const {
  auto bundle = ipc::BundleWriter::Create();
  CAISSON_CHECK(bundle.ok());
  CAISSON_CHECK(bundle->AddMainFile("main.py").ok());
  CAISSON_CHECK(bundle->AddFile("main.py", program_, ipc::FileMode::kRegular).ok());
  for (const std::string& path : outputs_) {
    CAISSON_CHECK(bundle->AddOutputPath(path).ok());
  }
  return *bundle->Seal();
}

}  // namespace caisson::orchestrator
