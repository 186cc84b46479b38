/* FSX-20: paths. */
#include "payload.h"

int main(void) {
  static char path[8192];
  memset(path, 'a', sizeof path - 1);
  for (size_t i = 0; i < sizeof path - 1; i += 200) path[i] = '/';
  TRY("long", open(path, O_RDONLY));
  memset(path, 'a', 300);
  path[0] = '/';
  path[300] = '\0';
  TRY("component", open(path, O_RDONLY));
  TRY("null", syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY));
  char* page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(page + 4096, 4096, PROT_NONE);
  memset(page, '/', 4096);
  TRY("unreadable", syscall(SYS_openat, AT_FDCWD, page + 4096, O_RDONLY));
  TRY("at_the_end", syscall(SYS_openat, AT_FDCWD, page + 4090, O_RDONLY));
  TRY("not_utf8", open("/box/\xff\xfe\x80", O_CREAT | O_WRONLY, 0600));
  TRY("newline", open("/box/a\nb\tc\x1b[2J", O_CREAT | O_WRONLY, 0600));
  if (symlink("/box/loop", "/box/loop") != 0) return 1;
  TRY("loop", open("/box/loop", O_RDONLY));
  for (int i = 0; i < 45; ++i) {
    char from[32], to[32];
    snprintf(from, sizeof from, "/box/l%d", i);
    snprintf(to, sizeof to, "/box/l%d", i + 1);
    if (symlink(to, from) != 0) return 1;
  }
  TRY("forty", open("/box/l0", O_RDONLY));
  TRY("empty", open("", O_RDONLY));
  int deep = 0;
  while (deep < 320 && mkdir("d", 0700) == 0 && chdir("d") == 0) ++deep;
  say("deep", "%d", deep);
  return 0;
}
