/* What every C payload shares. A payload says what it found in lines "NAME VALUE"; the case's expectation
 * names each of them, so a line too many or too few is a finding too. An attempt is made in a process of its
 * own where it could harm the next one. */
#ifndef CAISSON_TESTS_ATTACK_PAYLOAD_H_
#define CAISSON_TESTS_ATTACK_PAYLOAD_H_

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3), unused)) static void say(const char* name, const char* format, ...) {
  char line[4096];
  va_list arguments;
  va_start(arguments, format);
  int used = snprintf(line, sizeof line, "%s ", name);
  used += vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
  va_end(arguments);
  if (used > (int)sizeof line - 2) used = (int)sizeof line - 2;
  line[used++] = '\n';
  if (write(1, line, (size_t)used) != used) _exit(99);
}

/* "ok" or the name of errno. */
__attribute__((unused)) static const char* outcome(long result) {
  return result >= 0 ? "ok" : strerrorname_np(errno);
}

/* TRY("name", call): says what the call gave. */
#define TRY(name, ...)                  \
  do {                                  \
    errno = 0;                          \
    long result_ = (long)(__VA_ARGS__); \
    say(name, "%s", outcome(result_));  \
  } while (0)

/* The same in a child; a signal that ends it is named instead. */
#define TRY_FORKED(name, ...)             \
  do {                                    \
    fflush(stdout);                       \
    pid_t child_ = fork();                \
    if (child_ == 0) {                    \
      errno = 0;                          \
      long result_ = (long)(__VA_ARGS__); \
      say(name, "%s", outcome(result_));  \
      _exit(0);                           \
    }                                     \
    say_end(name, child_);                \
  } while (0)

/* Waits for a child; says how it ended unless it exited with 0. */
__attribute__((unused)) static void say_end(const char* name, pid_t child) {
  int status = 0;
  if (child < 0) {
    say(name, "fork %s", strerrorname_np(errno));
  } else if (waitpid(child, &status, 0) != child) {
    say(name, "waitpid %s", strerrorname_np(errno));
  } else if (WIFSIGNALED(status)) {
    say(name, "SIG%s", sigabbrev_np(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0) {
    say(name, "exit %d", WEXITSTATUS(status));
  }
}

/* Lets whoever looks from outside begin, and waits to be ended. */
__attribute__((noreturn, unused)) static void wait_for_the_end(void) {
  say("ready", "yes");
  for (;;) pause();
}

#endif /* CAISSON_TESTS_ATTACK_PAYLOAD_H_ */
