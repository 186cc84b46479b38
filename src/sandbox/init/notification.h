// What a notification of a refused call says: a number and six scalars, all of a hostile payload's choosing,
// and what the plan answers to it. Pure; also built hosted for the sanitized unit tests and the fuzzer.
#ifndef CAISSON_SANDBOX_INIT_NOTIFICATION_H_
#define CAISSON_SANDBOX_INIT_NOTIFICATION_H_

#include <asm/unistd_64.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdint.h>

#include "ipc/run_streams.h"
#include "sandbox/plan.h"

namespace caisson::init {

struct NotifiedCall {
  // Of x86-64; kI386Call and kX32Call for calls of another architecture, whose numbers mean other calls; -1
  // beyond every table.
  int32_t number;
  uint64_t args[6];

  uint32_t command() const {
    return static_cast<uint32_t>(args[1]);
  }  // of fcntl: an int, as the kernel takes it
};

inline NotifiedCall DecodeCall(const seccomp_data& data) {
  constexpr uint32_t kX32Bit = 0x40000000U;
  NotifiedCall call{};
  if (data.arch != AUDIT_ARCH_X86_64) {
    call.number = wire::kI386Call;
  } else if ((static_cast<uint32_t>(data.nr) & kX32Bit) != 0) {
    call.number = wire::kX32Call;
  } else {
    const bool known = data.nr >= 0 && data.nr < static_cast<int>(sandbox::kDenyTableEntries);
    call.number = known ? data.nr : -1;
  }
  for (int i = 0; i < 6; ++i) {
    call.args[i] = data.args[i];
  }
  return call;
}

// The plan's answers to what its filter does not let through.
struct AnswerTable {
  const unsigned char* deny_answers = nullptr;  // kDenyTableEntries of them, or none
  uint64_t counted_fcntl = 0;

  // The errno, kDenyAnswerKill, or 0 for the usual one.
  uint8_t Of(const NotifiedCall& call) const {
    return call.number >= 0 && deny_answers != nullptr ? deny_answers[call.number] : 0;
  }
  // Whether it takes a record lock that is counted, and then goes on.
  bool IsCountedLock(const NotifiedCall& call) const {
    return call.number == __NR_fcntl && call.command() < 64 && (counted_fcntl >> call.command() & 1U) != 0;
  }
};

}  // namespace caisson::init

#endif  // CAISSON_SANDBOX_INIT_NOTIFICATION_H_
