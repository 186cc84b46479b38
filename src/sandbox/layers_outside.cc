#include "sandbox/layers_outside.h"

#include "sandbox/layers.h"

namespace caisson::sandbox {

const OutsideLayers& LayersBuiltIn() {
  static constexpr OutsideLayers kLayers{
      layers::kUserNamespaceBan, layers::kPidNamespace, layers::kNetworkNamespace, layers::kIpcNamespace,
      layers::kUtsNamespace,     layers::kPidsLimit,    layers::kMemoryLimit,      layers::kComplete};
  return kLayers;
}

}  // namespace caisson::sandbox
