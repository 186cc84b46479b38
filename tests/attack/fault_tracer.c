// fault_tracer PID BUILDER: makes one system call fail, once, in the released programs that build a sandbox,
// from outside: with ptrace(2), as root, so that no program needs a switch for it. Used by fault_injection.py
// alone.
//
// Traced are caissond (PID), its builder, and what they start from now on, each in a role:
//
//   caissond  the process itself
//   builder   the process beside it that builds sandboxes
//   child     what they clone, until that executes a program (init, and the keeper of its user namespace)
//   init      caisson-init from its first instruction
//   stub      what init clones, until it executes the client's program, which is let go of at once
//
// Lines on standard input:
//
//   arm ROLE NUMBER ORDINAL ACTION VALUE
//             acts at the ORDINAL-th call (from 1) of ROLE from now on; where NUMBER is not -1, of those of
//             that number. `error`: it does nothing and returns -VALUE. `success`: it does nothing and
//             returns 0. `kill`: the process dies. `stop`: it stands still
//   trace     tells of every call
//   disarm    answered with `disarmed`: all lines before it belong to what was armed
//
// `arm` and `trace` are answered with `armed` when they are in force.
//
// Lines on standard output:
//
//   seized
//   fired ROLE ORDINAL NUMBER
//   call ROLE ORDINAL NUMBER ARGUMENT...
//   exec ROLE  the role it had before: `stub` means that the client's program runs
//   armed
//   disarmed
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum Role { CAISSOND, BUILDER, CHILD, INIT, STUB, ROLES };
static const char* const role_names[ROLES] = {"caissond", "builder", "child", "init", "stub"};

enum Action { NOTHING, FAIL, SUCCEED, KILL, STOP };

struct Tracee {
  pid_t pid;  // 0: this place is free
  enum Role role;
  int held;      // stopped before its parent told of it
  int replaced;  // the call under way is not the one it asked for
  unsigned long long asked_argument;
  long result;
};

enum { MOST = 64 };
static struct Tracee tracees[MOST];
static struct {
  enum Role role;
  long number;
  unsigned long ordinal;
  unsigned long seen;
  enum Action action;
  long value;
} armed;
static unsigned long counts[ROLES];
static int tracing;

static void die(const char* what) {
  fprintf(stderr, "fault_tracer: %s: %s\n", what, strerror(errno));
  exit(1);
}

static struct Tracee* find(pid_t pid) {
  for (int i = 0; i < MOST; ++i) {
    if (tracees[i].pid == pid) {
      return &tracees[i];
    }
  }
  return NULL;
}

static struct Tracee* add(pid_t pid, enum Role role) {
  struct Tracee* tracee = find(0);
  if (tracee == NULL) {
    errno = ENOSPC;
    die("too many processes");
  }
  memset(tracee, 0, sizeof *tracee);
  tracee->pid = pid;
  tracee->role = role;
  return tracee;
}

static void get_registers(pid_t pid, struct user_regs_struct* registers) {
  struct iovec vector = {registers, sizeof *registers};
  ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector);
}

static void set_registers(pid_t pid, struct user_regs_struct* registers) {
  struct iovec vector = {registers, sizeof *registers};
  ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &vector);
}

// 1 if the process may go on.
static int on_entry(struct Tracee* tracee, const struct __ptrace_syscall_info* info) {
  const unsigned long ordinal = ++counts[tracee->role];
  const unsigned long long* args = (const unsigned long long*)info->entry.args;
  if (tracing) {
    printf("call %s %lu %llu %llx %llx %llx %llx %llx\n", role_names[tracee->role], ordinal,
           (unsigned long long)info->entry.nr, args[0], args[1], args[2], args[3], args[4]);
  }
  if (armed.action == NOTHING || armed.role != tracee->role) {
    return 1;
  }
  if (armed.number >= 0 && (unsigned long long)armed.number != info->entry.nr) {
    return 1;
  }
  if (++armed.seen != armed.ordinal) {
    return 1;
  }
  const enum Action action = armed.action;
  printf("fired %s %lu %llu\n", role_names[tracee->role], ordinal, (unsigned long long)info->entry.nr);
  if (action == KILL) {
    armed.action = NOTHING;
    kill(tracee->pid, SIGKILL);
    return 0;
  }
  if (action == STOP) {
    armed.action = NOTHING;
    return 0;
  }
  struct user_regs_struct registers;
  get_registers(tracee->pid, &registers);
  tracee->replaced = 1;
  tracee->asked_argument = registers.rdi;
  // These need nothing that could run out or be forbidden: they can only be interrupted.
  const int only_waits =
      info->entry.nr == SYS_epoll_wait || info->entry.nr == SYS_waitid || info->entry.nr == SYS_wait4;
  tracee->result = action == SUCCEED ? 0 : only_waits ? -EINTR : -armed.value;
  armed.action = NOTHING;
  if (info->entry.nr == SYS_close) {
    return 1;  // On Linux a descriptor is closed whatever close(2) says.
  }
  // Another call is made in its place: one that does nothing, and that every filter of ours allows.
  registers.orig_rax = SYS_close;
  registers.rdi = (unsigned long long)-1;
  set_registers(tracee->pid, &registers);
  return 1;
}

static void on_exit_of_call(struct Tracee* tracee) {
  if (!tracee->replaced) {
    return;
  }
  struct user_regs_struct registers;
  get_registers(tracee->pid, &registers);
  registers.rdi = tracee->asked_argument;
  registers.rax = (unsigned long long)tracee->result;
  set_registers(tracee->pid, &registers);
  tracee->replaced = 0;
}

static void on_clone(const struct Tracee* parent) {
  unsigned long pid = 0;
  ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid);
  const enum Role role = parent->role == CAISSOND || parent->role == BUILDER ? CHILD : STUB;
  struct Tracee* child = find((pid_t)pid);
  if (child == NULL) {
    add((pid_t)pid, role);
    return;
  }
  child->role = role;
  if (child->held) {
    child->held = 0;
    ptrace(PTRACE_SYSCALL, child->pid, 0, 0);
  }
}

static void on_exec(struct Tracee* tracee) {
  printf("exec %s\n", role_names[tracee->role]);
  if (tracee->role == CHILD) {
    tracee->role = INIT;
    return;
  }
  ptrace(PTRACE_DETACH, tracee->pid, 0, 0);
  tracee->pid = 0;
}

static void on_stop(pid_t pid, int status) {
  struct Tracee* tracee = find(pid);
  if (tracee == NULL) {
    add(pid, CHILD)->held = 1;  // on_clone will know what it is
    return;
  }
  const int signal_number = WSTOPSIG(status);
  const int event = status >> 16;
  long deliver = 0;
  if (signal_number == (SIGTRAP | 0x80)) {
    struct __ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) {
      return;  // it has been killed: its end comes next
    }
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !on_entry(tracee, &info)) {
      return;
    }
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
      on_exit_of_call(tracee);
    }
  } else if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
    on_clone(tracee);
  } else if (event == PTRACE_EVENT_EXEC) {
    on_exec(tracee);
    if (tracee->pid == 0) {
      return;
    }
  } else if (event == PTRACE_EVENT_STOP) {
    if (signal_number == SIGSTOP || signal_number == SIGTSTP || signal_number == SIGTTIN ||
        signal_number == SIGTTOU) {
      ptrace(PTRACE_LISTEN, pid, 0, 0);
      return;
    }
  } else if (event == 0) {
    deliver = signal_number;
  }
  ptrace(PTRACE_SYSCALL, pid, 0, deliver);
}

static void reap_and_resume(void) {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);
    if (pid <= 0) {
      return;
    }
    if (WIFSTOPPED(status)) {
      on_stop(pid, status);
      continue;
    }
    struct Tracee* tracee = find(pid);
    if (tracee != NULL) {
      tracee->pid = 0;
    }
  }
}

static enum Role role_of(const char* name) {
  for (int role = 0; role < ROLES; ++role) {
    if (strcmp(name, role_names[role]) == 0) {
      return (enum Role)role;
    }
  }
  errno = EINVAL;
  die(name);
  return ROLES;
}

static enum Action action_of(const char* name) {
  const char* const names[] = {"", "error", "success", "kill", "stop"};
  for (int action = 1; action <= STOP; ++action) {
    if (strcmp(name, names[action]) == 0) {
      return (enum Action)action;
    }
  }
  errno = EINVAL;
  die(name);
  return NOTHING;
}

static void obey(const char* line) {
  char role[16];
  char action[16];
  long number = -1;
  unsigned long ordinal = 0;
  long value = 0;
  if (sscanf(line, "arm %15s %ld %lu %15s %ld", role, &number, &ordinal, action, &value) == 5) {
    memset(counts, 0, sizeof counts);
    armed.role = role_of(role);
    armed.number = number;
    armed.seen = 0;
    armed.ordinal = ordinal;
    armed.value = value;
    armed.action = action_of(action);
    printf("armed\n");
  } else if (strcmp(line, "trace\n") == 0) {
    memset(counts, 0, sizeof counts);
    tracing = 1;
    printf("armed\n");
  } else if (strcmp(line, "disarm\n") == 0) {
    armed.action = NOTHING;
    tracing = 0;
    printf("disarmed\n");
  } else {
    errno = EINVAL;
    die(line);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: fault_tracer PID BUILDER\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  const int signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                       PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  for (int i = 0; i < 2; ++i) {
    const pid_t pid = (pid_t)atoi(argv[1 + i]);
    if (signals < 0 || ptrace(PTRACE_SEIZE, pid, 0, options) != 0 ||
        ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0) {
      die("trace caissond and its builder");
    }
    add(pid, i == 0 ? CAISSOND : BUILDER);
  }
  printf("seized\n");
  for (;;) {
    struct pollfd polled[2] = {{0, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(polled, 2, -1) < 0 && errno != EINTR) {
      die("poll");
    }
    if (polled[1].revents != 0) {
      struct signalfd_siginfo drained[16];
      if (read(signals, drained, sizeof drained) < 0 && errno != EAGAIN) {
        die("read signals");
      }
      reap_and_resume();
    }
    if (polled[0].revents != 0) {
      char line[128];
      if (fgets(line, sizeof line, stdin) == NULL) {
        return 0;  // the kernel lets go of everything that is traced
      }
      obey(line);
    }
  }
}
