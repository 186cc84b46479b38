// The supervisor: everything caissond is, put together once and run by one thread.
#ifndef CAISSON_ORCHESTRATOR_SUPERVISOR_H_
#define CAISSON_ORCHESTRATOR_SUPERVISOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/event_loop.h"
#include "orchestrator/capacity.h"
#include "orchestrator/cgroup.h"
#include "orchestrator/config.h"
#include "orchestrator/dispatcher_link.h"
#include "orchestrator/dispatcher_log.h"
#include "orchestrator/dispatcher_process.h"
#include "orchestrator/host_places.h"
#include "orchestrator/instance_lock.h"
#include "orchestrator/listener_sockets.h"
#include "orchestrator/profile_store.h"
#include "orchestrator/sandbox_builder.h"
#include "orchestrator/tenant_files.h"
#include "sandbox/spawner.h"

namespace caisson::orchestrator {

class Supervisor {
 public:
  // Takes the lock, sweeps what a killed predecessor left, checks the host's layers, compiles the profiles.
  // Any layer or limit the host cannot give is an error that names it and the mend. Nothing runs yet.
  static absl::StatusOr<std::unique_ptr<Supervisor>> Create(const Config& config);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Starts the dispatcher and serves until SIGTERM or SIGINT: then no run is admitted any more, what runs may
  // go on for the grace time, and nothing is left when this returns. On SIGHUP, and where an
  // admin asks, it reads tenants' policies and tokens again.
  absl::Status Run();

 private:
  Supervisor(Config config, InstanceLock lock, UniqueFd id_lock, std::unique_ptr<EventLoop> loop);

  absl::Status SetUp();
  absl::Status CheckSwap();
  absl::Status LoadProfiles(const std::string& staging);
  absl::Status WatchSignals();
  void OnSignal(uint32_t number, int32_t code, uint32_t sender);
  // What became of it, as the dispatcher is told.
  ipc::Reloaded Reload();
  std::function<ipc::Reloaded()> ReloadForAdmins();
  absl::Status StartDispatcherNow();
  void StartDispatcherAgain();
  void OnDispatcherDead();
  void OnBroken(const std::string& reason);
  void OnServing();
  void OnIdle();
  void OnBuilderDead();
  void Drain();
  void EndRuns();
  void StopIfDone();
  ipc::Hello MakeHello() const;

  Config config_;
  InstanceLock lock_;
  UniqueFd id_lock_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<ListenerSockets> listeners_;
  std::optional<TenantFiles> tenants_;
  User user_;
  uint32_t landlock_abi_ = 0;
  uint32_t accepted_degradations_ = 0;
  Capacity capacity_;
  std::string dispatcher_program_;
  std::string profiles_dir_;
  std::string images_dir_;
  std::unique_ptr<CgroupBackend> cgroups_;
  std::optional<ProfileStore> profiles_;
  std::optional<IdPool> ids_;
  std::optional<sandbox::Spawner> spawner_;
  std::unique_ptr<BuilderProcess> builder_;
  std::unique_ptr<SandboxPool> pool_;
  std::unique_ptr<DescriptorDisposal> disposal_;
  std::unique_ptr<DispatcherLink> link_;
  std::unique_ptr<DispatcherLog> dispatcher_log_;
  std::optional<StartedDispatcher> dispatcher_;
  UniqueFd signals_;
  bool builder_died_ = false;
  bool dispatcher_gave_up_ = false;
  bool draining_ = false;
  bool announced_ = false;
  int64_t dispatcher_started_ns_ = 0;
  int64_t backoff_ns_ = 0;
};

}  // namespace caisson::orchestrator

#endif  // CAISSON_ORCHESTRATOR_SUPERVISOR_H_
