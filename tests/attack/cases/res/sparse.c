/* RES-14 */
#include "payload.h"

int main(void) {
  signal(SIGXFSZ, SIG_IGN);
  int fd = open("/box/sparse", O_CREAT | O_RDWR, 0600);
  TRY("truncate", ftruncate(fd, 1L << 40));
  TRY("fallocate", fallocate(fd, 0, 0, 1L << 40));
  TRY("seek_write", pwrite(fd, "x", 1, 1L << 40));
  /* A copy stops at the limit, or says so. */
  loff_t from = 0, to = (1 << 20) - 10;
  int source = open("/box/program", O_RDONLY);
  long copied = copy_file_range(source, &from, fd, &to, 1 << 20, 0);
  struct stat info;
  fstat(fd, &info);
  say("copy", "%s",
      copied < 0                  ? strerrorname_np(errno)
      : info.st_size <= (1 << 20) ? "ok"
                                  : "beyond the limit");
  pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_DFL);
    if (pwrite(fd, "x", 1, 1L << 40) < 0) _exit(8);
    _exit(9);
  }
  say_end("signal", child);
  return 0;
}
