/* SYS-12: the x32 numbers of a 64-bit program. */
#include "payload.h"

#define X32 0x40000000UL

static const struct {
  const char* name;
  unsigned long number;
} kCalls[] = {{"getpid", X32 | 39},  {"read", X32 | 0},      {"ioctl", X32 | 514}, {"execve", X32 | 520},
              {"ptrace", X32 | 521}, {"high", 0x7fffffffUL}, {"minus_one", -1UL},  {"negative", -1000UL}};

int main(int argc, char** argv) {
  (void)argc;
  say("trying", "%s", argv[1]);
  for (size_t i = 0; i < sizeof kCalls / sizeof *kCalls; ++i) {
    if (strcmp(kCalls[i].name, argv[1]) == 0) TRY(argv[1], syscall((long)kCalls[i].number, 0, 0x5412, 0, 0));
  }
  if (strcmp(argv[1], "child") == 0) {
    TRY_FORKED("child", syscall((long)(X32 | 39)));
  }
  for (;;) pause();
}
