// The programs of mixed_load.py, one for each name: most behave, the others are what a hostile client would
// send.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char block[65536];

static void forever(void) {
  for (;;) {
    pause();
  }
}

static void forks(void) {
  for (int i = 0; i < 200; ++i) {
    if (fork() == 0) {
      forever();
    }
  }
}

// Leaves a process in a session of its own, whose parent is gone.
static void orphans(void) {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      signal(SIGTERM, SIG_IGN);
      forever();
    }
    _exit(0);
  }
}

static void eats(void) {
  for (;;) {
    char* piece = malloc(1 << 20);
    if (piece != NULL) {
      memset(piece, 1, 1 << 20);
    }
  }
}

static void writes(const char* path, int pieces) {
  const int fd = open(path, O_CREAT | O_WRONLY, 0600);
  for (int i = 0; i < pieces && write(fd, block, sizeof block) > 0; ++i) {
  }
  close(fd);
}

static void many_files(void) {
  for (int i = 0; i < 10000; ++i) {
    char name[32];
    snprintf(name, sizeof name, "f%d", i);
    const int fd = open(name, O_CREAT | O_WRONLY, 0600);
    if (fd < 0) {
      return;
    }
  }
}

static void descriptors(void) {
  int ends[2];
  while (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) {
    send(ends[0], block, 4096, MSG_DONTWAIT);
  }
}

static void locks(void) {
  const int fd = open("locked", O_CREAT | O_RDWR, 0600);
  for (int i = 0; i < 3000; ++i) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1};
    if (fcntl(fd, F_SETLK, &lock) != 0) {
      return;
    }
  }
}

static void outputs(void) {
  mkdir("out", 0700);
  writes("out/large", 8);
  symlink("/etc/passwd", "out/link");
  mkfifo("out/fifo", 0600);
  chmod("out/large", 0);
}

int main(int argc, char** argv) {
  const char* name = argc > 1 ? argv[1] : "";
#define DOES(what, action)       \
  if (strcmp(name, what) == 0) { \
    action;                      \
  }
  DOES("hello", puts("hello"))
  DOES("talks", for (int i = 0; i < 64; ++i) fwrite(block, 1, sizeof block, stdout))
  DOES("forks", forks())
  DOES("orphans", orphans())
  DOES("eats", eats())
  DOES("spins", for (;;){})
  DOES("sleeps", forever())
  DOES("fills", writes("large", 4096))
  DOES("many_files", many_files())
  DOES("descriptors", descriptors())
  DOES("locks", locks())
  DOES("outputs", outputs())
  DOES("refused", for (int i = 0; i < 50; ++i) setuid(0))
  DOES("forbidden", ptrace(PTRACE_TRACEME, 0, 0, 0))
  DOES("kills", kill(-1, SIGKILL))
  DOES("crashes", abort())
  return 0;
}
