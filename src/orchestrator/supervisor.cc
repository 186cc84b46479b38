// Run by caissond as root: the composition of its parts, and the lifecycle of the whole. Reads configuration
// and profiles, root's own files; everything untrusted is behind DispatcherLink and Session.
#include "orchestrator/supervisor.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <csignal>

#include "common/clock.h"
#include "common/files.h"
#include "common/status.h"
#include "ipc/codec.h"
#include "orchestrator/descriptor_limit.h"
#include "orchestrator/id_range_lock.h"
#include "orchestrator/image_mounts.h"
#include "orchestrator/log_format.h"
#include "sandbox/kernel_features.h"
#include "sandbox/landlock_host.h"

namespace caisson::orchestrator {
namespace {

constexpr int64_t kFirstBackoffNanos = 100 * kNanosPerMilli;
constexpr int64_t kLastBackoffNanos = 10'000 * kNanosPerMilli;
constexpr int kExitCannotServe = 78;                       // sysexits(3) EX_CONFIG, of the dispatcher
constexpr int64_t kStableNanos = 30'000 * kNanosPerMilli;  // a dispatcher that lived this long was well
constexpr uint64_t kStopMarginMs =
    15'000;  // after the grace time: the dispatcher's farewell, removing cgroups

}  // namespace

Supervisor::Supervisor(Config config, InstanceLock lock, UniqueFd id_lock, std::unique_ptr<EventLoop> loop)
    : config_(std::move(config)),
      lock_(std::move(lock)),
      id_lock_(std::move(id_lock)),
      loop_(std::move(loop)) {}

Supervisor::~Supervisor() {
  if (signals_.valid()) {
    loop_->Unwatch(signals_.get());
  }
}

absl::StatusOr<std::unique_ptr<Supervisor>> Supervisor::Create(const Config& config) {
  ASSIGN_OR_RETURN(InstanceLock lock, InstanceLock::Acquire(config.state_dir));
  ASSIGN_OR_RETURN(UniqueFd id_lock, LockIdRange(config.id_first, config.id_count));
  ASSIGN_OR_RETURN(std::unique_ptr<EventLoop> loop, EventLoop::Create());
  std::unique_ptr<Supervisor> supervisor(
      new Supervisor(config, std::move(lock), std::move(id_lock), std::move(loop)));
  if (const absl::Status status = supervisor->SetUp(); !status.ok()) {
    // A start that failed leaves as little as one that never was.
    supervisor->builder_.reset();
    if (supervisor->cgroups_ != nullptr && supervisor->cgroups_->RemoveInstance().ok()) {
      static_cast<void>(supervisor->lock_.ForgetDirectories());
    }
    return status;
  }
  return supervisor;
}

absl::Status Supervisor::SetUp() {
  ASSIGN_OR_RETURN(user_, FindUser(config_.user));
  RETURN_IF_ERROR(PrepareSocketDirectory(config_.socket, user_));
  if (!config_.metrics.empty()) {
    RETURN_IF_ERROR(PrepareSocketDirectory(config_.metrics, user_));
  }
  RETURN_IF_ERROR(PrepareRecordsDirectory(config_.records_dir, user_));
  ASSIGN_OR_RETURN(TenantFiles tenants, TenantFiles::Load(config_));
  spdlog::info("tenants: {}", tenants.summary());
  tenants_.emplace(std::move(tenants));
  ASSIGN_OR_RETURN(listeners_, ListenerSockets::Open(config_.listeners));
  ASSIGN_OR_RETURN(dispatcher_program_, FindDispatcher());
  profiles_dir_ = config_.profiles_dir;
  if (profiles_dir_.empty()) {
    ASSIGN_OR_RETURN(profiles_dir_, FindProfiles());
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> leftovers, lock_.RecordedDirectories());
  if (!leftovers.empty()) {
    spdlog::info("sweeping what an earlier caissond left: {} cgroup directories", leftovers.size());
    RETURN_IF_ERROR(SweepInstance(leftovers, lock_.instance()));
  }
  ASSIGN_OR_RETURN(cgroups_, CgroupBackend::Open(lock_.instance()));
  RETURN_IF_ERROR(lock_.RecordDirectories(cgroups_->instance_directories()));
  RETURN_IF_ERROR(CheckSwap());
  ASSIGN_OR_RETURN(landlock_abi_, sandbox::LandlockAbi());
  ASSIGN_OR_RETURN(const std::string staging, EnterPrivateMounts(lock_.state_dir()));
  RETURN_IF_ERROR(LoadProfiles(staging));
  capacity_ = ChooseCapacity(config_, HostMemoryBytes());
  RETURN_IF_ERROR(CheckIdCount(config_, capacity_));
  ids_.emplace(config_.id_first, config_.id_count);
  ASSIGN_OR_RETURN(sandbox::Spawner spawner, sandbox::Spawner::Create());
  spawner_.emplace(std::move(spawner));
  ASSIGN_OR_RETURN(builder_, BuilderProcess::Start(*loop_, *spawner_, *cgroups_, *ids_, profiles_->plans(),
                                                   [this] { OnBuilderDead(); }));
  // What the ids do not suffice for is not built ahead.
  const uint64_t spare = ids_->free() - MostSandboxes(capacity_.max_sandboxes);
  const auto ready = static_cast<uint32_t>(std::min<uint64_t>(config_.ready_sandboxes, spare));
  RETURN_IF_ERROR(EnsureDescriptors(DescriptorsNeeded({capacity_.max_sandboxes, ready, profiles_->size(),
                                                       config_.queue_length, profiles_->MostOpenFiles()}),
                                    capacity_.max_sandboxes));
  pool_ =
      std::make_unique<SandboxPool>(*loop_, *builder_, ready, accepted_degradations_, [this] { OnIdle(); });
  dispatcher_log_ = std::make_unique<DispatcherLog>(
      *loop_, MakeLogger("dispatcher", config_.log_format, spdlog::level::from_str(config_.log_level)));
  disposal_ = std::make_unique<DescriptorDisposal>(*loop_);
  link_ = std::make_unique<DispatcherLink>(
      *loop_, *builder_, *pool_, *disposal_, *profiles_, capacity_, accepted_degradations_,
      DispatcherLink::Callbacks{[this](const std::string& reason) { OnBroken(reason); },
                                [this] { OnServing(); }, ReloadForAdmins(), [this] { OnIdle(); }});
  return WatchSignals();
}

absl::Status Supervisor::CheckSwap() {
  if (cgroups_->swap_is_bounded()) {
    return absl::OkStatus();
  }
  if (!config_.accepted_degradations.contains(Degradation::kSwapUnbounded)) {
    return absl::FailedPreconditionError(
        "swap cannot be limited here: switch it off, boot with swapaccount=1, or accept it by name with "
        "\"accepted_degradations\": [\"swap_unbounded\"]");
  }
  accepted_degradations_ |= ipc::kDegradationSwapUnbounded;
  return absl::OkStatus();
}

absl::Status Supervisor::LoadProfiles(const std::string& staging) {
  sandbox::PlanOptions options;
  options.staging_path = staging;
  options.landlock_abi = landlock_abi_;
  options.notify_flags = sandbox::NotifyFlags();
  std::map<std::string, std::string> skipped;
  images_dir_ = lock_.state_dir() + "/images";
  ASSIGN_OR_RETURN(ImageMounts images, ImageMounts::Create(images_dir_));
  ASSIGN_OR_RETURN(ProfileStore store,
                   ProfileStore::Load(profiles_dir_, options, &images, config_.learning_profiles, skipped));
  profiles_.emplace(std::move(store));
  for (const auto& [name, reason] : skipped) {
    spdlog::info("profile {} is not available: {}", name, reason);
  }
  spdlog::info("{} profile steps from {}", profiles_->size(), profiles_dir_);
  for (const std::string& name : config_.learning_profiles) {
    spdlog::warn("profile {} learns: its runs may do more than it says, so only root may connect", name);
  }
  return absl::OkStatus();
}

absl::Status Supervisor::WatchSignals() {
  sigset_t mask{};
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &mask, nullptr) != 0) {  // NOLINT(concurrency-mt-unsafe): one thread
    return ErrnoStatus(errno, "sigprocmask");
  }
  signals_ = UniqueFd(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) {
    return ErrnoStatus(errno, "signalfd");
  }
  return loop_->Watch(signals_.get(), EPOLLIN, [this](uint32_t) {
    signalfd_siginfo info{};
    while (read(signals_.get(), &info, sizeof info) == sizeof info) {
      OnSignal(info.ssi_signo, info.ssi_code, info.ssi_pid);
    }
  });
}

void Supervisor::OnSignal(uint32_t number, int32_t code, uint32_t sender) {
  spdlog::info("SIG{} from process {}", sigabbrev_np(static_cast<int>(number)), sender);
  // The kernel itself sends it when the terminal that caissond was started from is gone.
  const bool asks_to_reload = number == SIGHUP && code != SI_KERNEL;
  if (asks_to_reload) {
    static_cast<void>(Reload());
    return;
  }
  draining_ ? EndRuns() : Drain();
}

// All or nothing: what has a fault changes nothing.
ipc::Reloaded Supervisor::Reload() {
  auto reloaded = ipc::Make<ipc::Reloaded>();
  reloaded.outcome = ipc::ReloadOutcome::kStopping;
  if (draining_) {
    return reloaded;
  }
  static_cast<void>(sd_notify(0, "RELOADING=1"));
  absl::StatusOr<TenantFiles> loaded = TenantFiles::Load(config_);
  // What has not changed is handed on as it is: a dispatcher that asks and never reads the answers would else
  // hold a new copy by each.
  const bool same = loaded.ok() && loaded->SameAs(*tenants_);
  absl::StatusOr<DispatcherLink::Handed> handed =
      loaded.ok() ? (same ? *tenants_ : *loaded).ForDispatcher()
                  : absl::StatusOr<DispatcherLink::Handed>(loaded.status());
  const bool taken = handed.ok();
  if (taken) {
    if (!same) {
      tenants_.emplace(*std::move(loaded));
    }
    link_->Hand(*std::move(handed));
    reloaded.outcome = ipc::ReloadOutcome::kTaken;
    spdlog::info("reloaded: {}", tenants_->summary());
  } else {
    reloaded.outcome = ipc::ReloadOutcome::kFaulty;
    static_cast<void>(ipc::SetText(reloaded.message, Message(handed.status())));  // cut where there is more
    spdlog::error("not reloaded, what was in force stays ({}): {}", tenants_->summary(),
                  Message(handed.status()));
  }
  const char* const outcome = taken ? "" : "; the last reload was refused";
  static_cast<void>(sd_notifyf(0, "READY=1\nSTATUS=serving%s", outcome));
  return reloaded;
}

// Null where nobody is an admin: a dispatcher that asks all the same is not ours any more.
std::function<ipc::Reloaded()> Supervisor::ReloadForAdmins() {
  if (!HaveAdmins(config_.listeners)) {
    return nullptr;
  }
  return [this] {
    spdlog::info("the dispatcher asks to reload, for an admin");
    return Reload();
  };
}

ipc::Hello Supervisor::MakeHello() const {
  auto hello = ipc::Make<ipc::Hello>();
  hello.max_sandboxes = capacity_.max_sandboxes;
  hello.landlock_abi = landlock_abi_;
  hello.memory_budget_bytes = capacity_.memory_budget_bytes;
  hello.queue_length = config_.queue_length;
  hello.cgroup_backend = static_cast<uint32_t>(cgroups_->kind());
  hello.grace_ms = config_.grace_ms;
  hello.learning = config_.learning_profiles.empty() ? 0 : 1;
  hello.listeners = static_cast<uint32_t>(listeners_->size());
  hello.cpu_millis = HostCpuMillis();
  hello.cpu_budget_millis = config_.cpu_budget_millis;
  return hello;
}

absl::Status Supervisor::StartDispatcherNow() {
  DispatcherCommand command;
  command.program = dispatcher_program_;
  command.arguments = {"--socket",          config_.socket,
                       "--profiles",        profiles_dir_,
                       "--records",         config_.records_dir,
                       "--records-bytes",   std::to_string(config_.records_bytes),
                       "--records-keep-ms", std::to_string(config_.records_keep_seconds * 1000),
                       "--log-level",       config_.log_level};
  if (!config_.metrics.empty()) {
    command.arguments.insert(command.arguments.end(), {"--metrics", config_.metrics});
  }
  ASSIGN_OR_RETURN(command.images, OpenFile(images_dir_, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  command.uid = user_.uid;
  command.gid = user_.gid;
  ASSIGN_OR_RETURN(dispatcher_, StartDispatcher(command));
  RETURN_IF_ERROR(dispatcher_log_->Attach(std::move(dispatcher_->log)));
  dispatcher_started_ns_ = MonotonicNanos();
  RETURN_IF_ERROR(
      loop_->Watch(dispatcher_->process.get(), EPOLLIN, [this](uint32_t) { OnDispatcherDead(); }));
  ASSIGN_OR_RETURN(std::vector<DispatcherLink::Handed> handed, listeners_->ForDispatcher());
  ASSIGN_OR_RETURN(DispatcherLink::Handed policies, tenants_->ForDispatcher());
  handed.push_back(std::move(policies));  // ORDER: the dispatcher waits for the listeners, then for these
  RETURN_IF_ERROR(link_->Connect(std::move(dispatcher_->socket), MakeHello()));
  for (DispatcherLink::Handed& one : handed) {
    link_->Hand(std::move(one));
  }
  return absl::OkStatus();
}

absl::Status Supervisor::Run() {
  RETURN_IF_ERROR(StartDispatcherNow());
  RETURN_IF_ERROR(loop_->Run());
  // It is in our cgroup, which cannot go while it lives. No session is left that could want it.
  builder_.reset();
  RETURN_IF_ERROR(cgroups_->RemoveInstance());
  RETURN_IF_ERROR(lock_.ForgetDirectories());
  spdlog::info("stopped: nothing is left");
  if (dispatcher_gave_up_) {
    return absl::FailedPreconditionError("the dispatcher could not serve; the lines above say why");
  }
  return builder_died_ ? absl::InternalError("the builder ended while it was needed") : absl::OkStatus();
}

void Supervisor::OnServing() {
  std::string served = config_.socket;
  for (const ListenerConfig& listener : config_.listeners) {
    served += ", " + listener.socket;
  }
  spdlog::info("ready: serving on {} (dispatcher {}, at most {} runs, {} MiB for runs)", served,
               dispatcher_->pid, capacity_.max_sandboxes, capacity_.memory_budget_bytes >> 20U);
  if (!announced_) {
    announced_ = true;
    static_cast<void>(sd_notify(0, "READY=1\nSTATUS=serving"));
  }
}

void Supervisor::OnBroken(const std::string& reason) {
  // Ordinary when the dispatcher died or was told to stop; otherwise it broke the protocol and must not live.
  if (!draining_) {
    spdlog::error("dispatcher {}: {}", dispatcher_ ? dispatcher_->pid : 0, reason);
  }
  if (dispatcher_) {
    static_cast<void>(dispatcher_->process.Kill(draining_ ? 0 : SIGKILL));
  }
}

void Supervisor::OnDispatcherDead() {
  const absl::StatusOr<siginfo_t> ended = dispatcher_->process.TryReap();
  if (!ended.ok()) {
    return;
  }
  loop_->Unwatch(dispatcher_->process.get());
  dispatcher_log_->Drain();
  if (!draining_) {
    spdlog::error("dispatcher {} ended ({} {}); its runs end with it", dispatcher_->pid,
                  ended->si_code == CLD_EXITED ? "exit code" : "signal", ended->si_status);
  }
  dispatcher_.reset();
  link_->Disconnect();
  if (ended->si_code == CLD_EXITED && ended->si_status == kExitCannotServe && !draining_) {
    spdlog::critical("the dispatcher cannot serve here, and said why; another try would end the same way");
    dispatcher_gave_up_ = true;
    Drain();
  }
  if (draining_) {
    return StopIfDone();
  }
  const bool was_well = MonotonicNanos() - dispatcher_started_ns_ > kStableNanos;
  backoff_ns_ =
      was_well ? kFirstBackoffNanos : std::clamp(backoff_ns_ * 2, kFirstBackoffNanos, kLastBackoffNanos);
  loop_->At(MonotonicNanos() + backoff_ns_,
            [this] { disposal_->WhenIdle([this] { StartDispatcherAgain(); }); });
}

void Supervisor::StartDispatcherAgain() {
  if (draining_) {
    return;
  }
  if (const absl::Status status = StartDispatcherNow(); !status.ok()) {
    spdlog::critical("start the dispatcher again: {}", Message(status));
    Drain();
  }
}

void Supervisor::Drain() {
  draining_ = true;
  spdlog::info("stopping: no new runs; {} may go on for {} ms", link_->runs(), config_.grace_ms);
  // systemd would otherwise hold us to its TimeoutStopSec, however long the configured grace time is.
  const uint64_t needed_us = (config_.grace_ms + kStopMarginMs) * 1000;
  static_cast<void>(sd_notifyf(0, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%" PRIu64, needed_us));
  link_->RefuseNew();
  pool_->Close();
  link_->SendDrain(config_.grace_ms);
  loop_->At(MonotonicNanos() + static_cast<int64_t>(config_.grace_ms) * kNanosPerMilli,
            [this] { EndRuns(); });
  StopIfDone();
}

// The grace time is over, or somebody asked twice.
void Supervisor::EndRuns() {
  if (link_->runs() != 0) {
    spdlog::info("stopping: ending {} runs", link_->runs());
  }
  link_->ShutDown();
  // The dispatcher ends by itself once its streams are closed; a client that does not read may not hold us
  // up.
  constexpr int64_t kFarewellNanos = 3'000 * kNanosPerMilli;
  loop_->At(MonotonicNanos() + kFarewellNanos, [this] {
    if (dispatcher_) {
      static_cast<void>(dispatcher_->process.Kill(SIGKILL));
    }
  });
}

// Without it there is no sandbox for anybody any more, and whoever watches over caissond starts a whole one.
void Supervisor::OnBuilderDead() {
  spdlog::critical("the builder ended; without it nothing can be served");
  builder_died_ = true;
  if (!draining_) {
    Drain();
  }
  EndRuns();
}

void Supervisor::OnIdle() { StopIfDone(); }

void Supervisor::StopIfDone() {
  if (draining_ && !dispatcher_ && link_->sandboxes() == 0 && pool_->sandboxes() == 0) {
    loop_->Stop();
  }
}

}  // namespace caisson::orchestrator
