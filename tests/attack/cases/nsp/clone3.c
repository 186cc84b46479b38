/* NSP-03: clone3. */
#include <linux/sched.h>

#include "payload.h"

static long call(struct clone_args* arguments) {
  long result = syscall(SYS_clone3, arguments, sizeof *arguments);
  if (result == 0) _exit(0);
  if (result > 0) waitpid((pid_t)result, NULL, 0);
  return result;
}

int main(void) {
  struct clone_args user = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  TRY("user", call(&user));
  struct clone_args cgroup = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 0};
  TRY("into_cgroup", call(&cgroup));
  pid_t wanted = 300;
  struct clone_args tid = {.exit_signal = SIGCHLD, .set_tid = (uint64_t)&wanted, .set_tid_size = 1};
  TRY("set_tid", call(&tid));
  struct clone_args plain = {.exit_signal = SIGCHLD};
  TRY("plain", call(&plain));
  return 0;
}
