/* SYS-34: a signal that the kernel or init sends to end the run cannot be caught. */
#include <sys/ptrace.h>

#include "payload.h"

static void handler(int number) {
  (void)number;
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  say("survived", "in a handler");
}

static void i386_call(void) {
  long number = 20;
  __asm__ volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
}

int main(int argc, char** argv) {
  (void)argc;
  const char* attempt = argv[1];
  say("trying", "%s", attempt);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER};
  if (strcmp(attempt, "sigsys-caught") == 0) {
    sigaction(SIGSYS, &action, NULL);
    i386_call();
  } else if (strcmp(attempt, "sigsys-ignored") == 0) {
    signal(SIGSYS, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    i386_call();
  } else if (strcmp(attempt, "kill-blocked") == 0) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
  } else if (strcmp(attempt, "kill-in-handler") == 0) {
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
  } else if (strcmp(attempt, "kill-in-vfork") == 0) {
    if (vfork() == 0) {
      syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
      _exit(0);
    }
  }
  say("survived", "%s", attempt);
  for (;;) pause();
}
