// Runs inside the sandbox, in init, after its drop. No input.
#include "sandbox/init/init_filter.h"

#include <linux/audit.h>
#include <linux/mman.h>
#include <linux/seccomp.h>

namespace caisson::init {

InitFilter MakeInitFilter() {
  constexpr unsigned kAfter = 4;  // between the list and the ALLOW: mmap's own three, and the KILL
  InitFilter filter{};
  unsigned n = 0;
  const auto add = [&](const sock_filter& instruction) { filter.code[n++] = instruction; };
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(seccomp_data, arch)));
  add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(seccomp_data, nr)));
  for (unsigned i = 0; i < kInitCallCount; ++i) {
    const auto to_allow = static_cast<__u8>(kInitCallCount - 1 - i + kAfter);
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(kInitCalls[i]), to_allow, 0));
  }
  // mmap: the bundle, to be read. Nothing that could be written or executed.
  add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 0, 2));
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(seccomp_data, args[2])));
  add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_READ, 1, 0));
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

}  // namespace caisson::init
