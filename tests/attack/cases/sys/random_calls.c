/* SYS-36: random numbers, random arguments, in children that may die of it. Left out: calls that end the run,
 * and those that only wait. */
#include <time.h>

#include "payload.h"

static const int kLeftOut[] = {
    15 /* rt_sigreturn */, 34 /* pause */, 35 /* nanosleep */, 61 /* wait4 */, 62 /* kill */, 127,
    130 /* rt_sigsuspend */, 200 /* tkill */, 230 /* clock_nanosleep */, 234 /* tgkill */, 247 /* waitid */,
    7 /* poll */, 23, 270, 271, 232, 281, 441,
    /* those that end the run */
    101, 103, 129, 134, 153, 155, 159, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175,
    176, 177, 178, 179, 180, 212, 227, 246, 248, 249, 250, 304, 305, 308, 310, 311, 312, 313, 320, 321, 428,
    429, 430, 431, 432, 433, 438, 440, 442, 154};

static uint64_t state;

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static long interesting(void* page) {
  static const long kValues[] = {0, 1, 2, 3, -1, -100, 4096, 65536, 0x7fffffff, 0x80000000L, 0x100000000L};
  switch (next_random() % 4) {
    case 0:
      return kValues[next_random() % (sizeof kValues / sizeof *kValues)];
    case 1:
      return (long)page + (long)(next_random() % 4096);
    case 2:
      return (long)(next_random() % 64);
    default:
      return (long)next_random();
  }
}

static void one_child(unsigned long seed) {
  state = seed * 0x9e3779b97f4a7c15UL + 1;
  char* page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 400; ++i) {
    strcpy(page, i % 2 ? "/usr/bin/../../etc/passwd" : "/box/program");
    int number = (int)(next_random() % 470);
    int skip = 0;
    for (size_t k = 0; k < sizeof kLeftOut / sizeof *kLeftOut; ++k) skip |= kLeftOut[k] == number;
    /* nothing here may write to the streams: what is said must stay readable */
    if (skip || number == 1 || number == 18 || number == 20 || number == 40 || number == 296) continue;
    syscall(number, interesting(page), interesting(page), interesting(page), interesting(page),
            interesting(page), interesting(page));
  }
  _exit(0);
}

int main(void) {
  unsigned long seed = 20261121;
  say("seed", "%lu", seed);
  time_t until = time(NULL) + 2;
  int rounds = 0;
  while (time(NULL) < until && rounds < 2000) {
    pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0);
      one_child(seed + (unsigned long)rounds);
    }
    int waited = 0;
    while (waitpid(child, NULL, WNOHANG) == 0 && waited++ < 100) usleep(1000);
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ++rounds;
  }
  say("rounds", "%d", rounds);
  return 0;
}
