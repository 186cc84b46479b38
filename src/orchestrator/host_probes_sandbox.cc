// All layers together: one sandbox is built as every run's is, examined from outside while its stub waits,
// and given a program of ours. So that a caissond that leaves a layer out says so itself.
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "common/clock.h"
#include "common/event_loop.h"
#include "common/status.h"
#include "ipc/bundle_writer.h"
#include "ipc/codec.h"
#include "orchestrator/builder_process.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/host_check_program.h"
#include "orchestrator/host_places.h"
#include "orchestrator/host_probes.h"
#include "orchestrator/id_pool.h"
#include "orchestrator/isolation_reader.h"
#include "orchestrator/session.h"
#include "policy/filter_compiler.h"
#include "policy/limits.h"
#include "sandbox/kernel_features.h"
#include "sandbox/landlock_host.h"
#include "sandbox/plan_builder.h"
#include "sandbox/spawner.h"

namespace caisson::orchestrator {
namespace {

constexpr char kProgram[] = "program";
constexpr uint64_t kDiskBytes = uint64_t{1} << 20U;
constexpr uint64_t kInodes = 64;
constexpr uint32_t kIdsOfARun = 2;
constexpr ipc::StartLimits kLimits{
    2'000, 2'000, uint64_t{16} << 20U, 8, 256, uint64_t{1} << 20U, uint64_t{1} << 20U, 500};

// An empty root, no network, and a filter that allows every call but one.
policy::StepSection CheckStep() {
  policy::StepSection step;
  step.command = {std::string("/box/") + kProgram};
  step.files = {{sandbox::kLandlockControlPath, ""}};
  step.box_executable = true;
  step.limits = policy::StandardRunLimits();
  const int newest = policy::NewestKnownSyscall();
  for (int number = 0; number <= newest; ++number) {
    std::string name = policy::SyscallName(number);
    if (name != kRefusedCall && !name.starts_with("syscall_")) {
      policy::SyscallRule rule;
      rule.syscall = std::move(name);
      step.filter.rules.push_back(std::move(rule));
    }
  }
  return step;
}

absl::StatusOr<StepPlan> MakePlan(const std::string& staging) {
  const policy::StepSection step = CheckStep();
  ASSIGN_OR_RETURN(const policy::CompiledFilter filter, policy::CompileFilter(step.filter));
  sandbox::PlanOptions options;
  options.staging_path = staging;
  ASSIGN_OR_RETURN(options.landlock_abi, sandbox::LandlockAbi());
  options.notify_flags = sandbox::NotifyFlags();
  StepPlan plan;
  ASSIGN_OR_RETURN(plan.plan, sandbox::BuildPlan(step, filter, options));
  plan.limits = step.limits;
  plan.filter_digest = filter.digest;
  plan.denials_per_second = options.denials_per_second;
  plan.landlock_abi = options.landlock_abi;
  plan.network = step.network;
  return plan;
}

absl::StatusOr<UniqueFd> MakeBundle() {
  const std::vector<std::byte> program = ProgramThatLooksAround();
  ASSIGN_OR_RETURN(ipc::BundleWriter bundle, ipc::BundleWriter::Create());
  RETURN_IF_ERROR(bundle.AddMainFile(kProgram));
  RETURN_IF_ERROR(bundle.AddFile(kProgram, {reinterpret_cast<const char*>(program.data()), program.size()},
                                 ipc::FileMode::kExecutable));
  return bundle.Seal();
}

absl::Status Fail(const std::string& reason) { return absl::FailedPreconditionError(reason); }

// In the dispatcher's place.
class Customer : public SessionListener {
 public:
  Customer(EventLoop& loop, uint32_t payload_host_id, UniqueFd bundle)
      : loop_(loop), payload_host_id_(payload_host_id), bundle_(std::move(bundle)) {}

  absl::Status Serve(BuilderProcess& builder, const StepPlan& plan) {
    Session session(loop_, builder, *this, 1, plan, ipc::Step::kRun, 0);
    session.Build(kDiskBytes, kInodes);
    RETURN_IF_ERROR(loop_.Run());
    return found_.value_or(Fail("the sandbox ended before it was examined"));
  }

 private:
  void Find(absl::Status status) {
    if (!found_ || found_->ok()) {
      found_ = std::move(status);
    }
  }

  void OnPrepared(Session& session, const ipc::Prepared& message, std::vector<UniqueFd> fds) override {
    fds_ = std::move(fds);
    // The session's own gate is open in a mutation build.
    const absl::Status complete = CheckIsolation(message.isolation, {.payload_host_uid = payload_host_id_});
    if (!complete.ok()) {
      Find(complete);
      return session.Discard();
    }
    auto start = ipc::Make<ipc::Start>();
    start.limits = kLimits;
    session.Start(start, bundle_);
  }
  void OnPrepareFailed(Session& /*session*/, const ipc::PrepareFailed& message) override {
    Find(Fail(std::string(ipc::Text(message.message))));
  }
  void OnStarted(Session& /*session*/, const ipc::Started& message) override {
    const ipc::IsolationReport& report = message.isolation;
    if (report.cgroup_memory_bytes != kLimits.memory_bytes) {
      Find(Fail("the memory limit is not in force"));
    } else if (report.cgroup_pids != kLimits.pids) {
      Find(Fail("the limit of processes is not in force"));
    } else if (report.cgroup_cpu_millis != kLimits.cpu_millis) {
      Find(Fail("the limit of CPU is not in force"));
    }
  }
  void OnStartRefused(Session& /*session*/, const ipc::StartRefused& message) override {
    Find(Fail(std::string(ipc::Text(message.message))));
  }
  void OnFinished(Session& /*session*/, const ipc::Finished& message) override {
    if (message.verdict != ipc::Verdict::kCompleted || message.exited == 0) {
      Find(Fail("a program in it ended with verdict " +
                std::to_string(static_cast<uint32_t>(message.verdict))));
    } else if (message.exit_code == kCallNotRefused) {
      Find(Fail("a program in it made a call that its filter does not allow"));
    } else if (message.exit_code != 0) {
      Find(Fail("a program in it has descriptor " + std::to_string(message.exit_code) + " open"));
    } else {
      Find(absl::OkStatus());
    }
  }
  void OnGone(Session& /*session*/) override { loop_.Stop(); }

  EventLoop& loop_;
  const uint32_t payload_host_id_;
  const UniqueFd bundle_;
  std::vector<UniqueFd> fds_;
  std::optional<absl::Status> found_;
};

// In a child, since it takes a mount namespace of its own.
absl::Status UseSandbox(CgroupBackend& cgroups, const std::string& directory, uint32_t id_first) {
  spdlog::set_level(spdlog::level::off);  // What went wrong is the check's to say.
  ASSIGN_OR_RETURN(const std::string staging, EnterPrivateMounts(directory));
  ASSIGN_OR_RETURN(const StepPlan plan, MakePlan(staging));
  ASSIGN_OR_RETURN(sandbox::Spawner spawner, sandbox::Spawner::Create());
  IdPool ids(id_first, kIdsOfARun);
  ASSIGN_OR_RETURN(std::unique_ptr<EventLoop> loop, EventLoop::Create());
  ASSIGN_OR_RETURN(const std::unique_ptr<BuilderProcess> builder,
                   BuilderProcess::Start(*loop, spawner, cgroups, ids, {&plan}, [] {}));
  ASSIGN_OR_RETURN(UniqueFd bundle, MakeBundle());
  return Customer(*loop, id_first + 1, std::move(bundle)).Serve(*builder, plan);
}

}  // namespace

CheckResult ProbeSandbox(const Config& config) {
  constexpr char kName[] = "sandbox";
  const std::string mend =
      "mend what else fails here first; if nothing does, this caissond lacks a layer: install a released one";
  const uint64_t id_first = uint64_t{config.id_first} + (std::max(config.id_count, kIdsOfARun) - kIdsOfARun);
  if (config.id_first == 0 || config.id_count < kIdsOfARun || id_first + kIdsOfARun > UINT32_MAX) {
    return {kName, CheckState::kFail, "id_range has no ids for it", mend};
  }
  std::string directory = "/tmp/caisson-check-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) {
    return FromStatus(kName, ErrnoStatus(errno, "make " + directory), "", "let root write to /tmp");
  }
  const std::string instance = "caisson-check-" + std::to_string(getpid()) + "-sandbox";
  absl::StatusOr<std::unique_ptr<CgroupBackend>> cgroups = CgroupBackend::Open(instance);
  absl::Status status = cgroups.status();
  if (cgroups.ok()) {
    // The last ids of the range: a caissond that runs beside this gives them away last.
    status = InChild([&] { return UseSandbox(**cgroups, directory, static_cast<uint32_t>(id_first)); });
    absl::Status removed = (*cgroups)->RemoveInstance();
    if (!removed.ok()) {  // The child was killed before its sandbox was gone.
      removed = SweepInstance((*cgroups)->instance_directories(), instance);
    }
    status.Update(removed);
  }
  static_cast<void>(rmdir((directory + "/root").c_str()));  // There only if it came to that.
  if (rmdir(directory.c_str()) != 0) {
    status.Update(ErrnoStatus(errno, "remove " + directory));
  }
  return FromStatus(
      kName, status,
      "one was built, showed every layer from outside, ran a program that tried two of them from "
      "inside, and is gone",
      mend);
}

}  // namespace caisson::orchestrator
