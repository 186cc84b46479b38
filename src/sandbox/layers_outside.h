// The layers of layers.h that code outside the sandbox applies or checks. A separate file with one constant,
// so that a mutation build recompiles this and caisson-init and nothing else.
#ifndef CAISSON_SANDBOX_LAYERS_OUTSIDE_H_
#define CAISSON_SANDBOX_LAYERS_OUTSIDE_H_

namespace caisson::sandbox {

struct OutsideLayers {
  bool user_namespace_ban;
  bool pid_namespace;
  bool network_namespace;
  bool ipc_namespace;
  bool uts_namespace;
  bool pids_limit;
  bool memory_limit;
  bool complete;  // every layer, those of init included
};

// All true in every released program; fixed when it was compiled.
const OutsideLayers& LayersBuiltIn();

}  // namespace caisson::sandbox

#endif  // CAISSON_SANDBOX_LAYERS_OUTSIDE_H_
