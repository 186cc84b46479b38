// Runs as PID 1 of the new namespaces, as real root, before anything untrusted exists. Input: caissond's
// sealed plan.
#include "sandbox/init/loopback.h"

#include <linux/fcntl.h>
#include <linux/sockios.h>

#include "sandbox/init/syscall.h"
#include "sandbox/init/text.h"
#include "sandbox/layers.h"
#include "sandbox/loopback_settings.h"

namespace caisson::init {
namespace {

constexpr long kAfUnix = 1;
constexpr long kSockDgramCloexec = 2 | O_CLOEXEC;
constexpr int16_t kIffUp = 1;

// struct ifreq; linux/if.h wants a C library's headers.
struct InterfaceRequest {
  char name[16];
  int16_t flags;
  char unused[22];
};
static_assert(sizeof(InterfaceRequest) == 40);

bool Wanted(PlanReader& plan) {
  PlanItem item{};
  plan.Rewind();
  while (plan.Next(item)) {
    if (item.type == sandbox::PlanRecord::kLoopback) {
      return true;
    }
  }
  return false;
}

void Apply(const sandbox::LoopbackSetting& setting, Progress& progress) {
  const long fd = progress.Must(Syscall(__NR_open, Address(setting.path), O_WRONLY | O_CLOEXEC));
  progress.Must(Write(static_cast<int>(fd), setting.value, Length(setting.value)));
  Close(static_cast<int>(fd));
  progress.NextIndex();
}

}  // namespace

void RaiseLoopback(PlanReader plan, Progress& progress) {
  // Without a namespace of the run's own, in a mutation build, lo and the settings are the host's.
  if (!layers::kNetworkNamespace || !Wanted(plan)) {
    return;
  }
  progress.Enter(sandbox::SetupStage::kLoopback);
  for (const sandbox::LoopbackSetting& setting : sandbox::kLoopbackSettings) {
    Apply(setting, progress);
  }
  // An interface's flags can be set through a socket of any family.
  const long fd = progress.Must(Syscall(__NR_socket, kAfUnix, kSockDgramCloexec, 0));
  InterfaceRequest request{"lo", kIffUp, {}};
  progress.Must(Syscall(__NR_ioctl, fd, SIOCSIFFLAGS, Address(&request)));
  Close(static_cast<int>(fd));
}

}  // namespace caisson::init
