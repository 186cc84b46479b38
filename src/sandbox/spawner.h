// Starts caisson-init in its namespaces and its cgroup.
#ifndef CAISSON_SANDBOX_SPAWNER_H_
#define CAISSON_SANDBOX_SPAWNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pidfd.h"
#include "common/unique_fd.h"
#include "sandbox/child_call.h"
#include "sandbox/setup_stage.h"
#include "sandbox/user_namespace.h"

namespace caisson::sandbox {

struct SpawnRequest {
  int control = -1;           // init's end of the control socket; the SetupMessage is already in it
  int plan = -1;              // sealed plan
  int user_namespace = -1;    // of PrepareUserNamespace
  int root_template = -1;     // of BuildRootTemplate
  int cgroup_directory = -1;  // v2 directory of <run>/init
  std::vector<int> init_procs_fds;
  std::vector<int> payload_procs_fds;
};

// Owns the init image (a sealed memfd) and the stack its children start on. One at a time, one thread.
class Spawner {
 public:
  static absl::StatusOr<Spawner> Create();
  Spawner(Spawner&&) = default;
  Spawner& operator=(Spawner&&) = default;

  // clone3 with CLONE_VFORK and at once execveat of the image: back here, init runs or nothing does. The
  // child inherits exactly 0-2 (/dev/null) and the request's descriptors, an empty environment, no signal
  // mask. It is the child of the caller's parent (CLONE_PARENT), who alone can reap it, and with whom it
  // dies. `stage` is where it failed, if it did: kClone, or kExecInit, when `init` has ended and is to be
  // reaped.
  absl::Status SpawnInit(const SpawnRequest& request, SetupStage& stage, StartedChild& init);
  // The same program, to build the template of a plan's root: the caller's own child, in a mount namespace of
  // its own and no other, with these two descriptors.
  absl::Status SpawnTemplateBuilder(int control, int plan, SetupStage& stage, StartedChild& init);

  std::span<std::byte> stack() { return *stack_; }
  // What must stay open in a process that is to use this.
  std::array<int, 2> descriptors() const { return {image_.get(), null_device_.get()}; }

 private:
  absl::Status Spawn(ChildCall call, std::span<const int> fds, SetupStage& stage, StartedChild& init);

  static constexpr size_t kStackBytes = 65'536;
  using Stack = std::array<std::byte, kStackBytes>;

  Spawner(UniqueFd image, UniqueFd null_device)
      : image_(std::move(image)), null_device_(std::move(null_device)), stack_(std::make_unique<Stack>()) {}

  UniqueFd image_;
  UniqueFd null_device_;
  std::unique_ptr<Stack> stack_;
};

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_SPAWNER_H_
