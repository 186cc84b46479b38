/* FSX-08: what is open. */
#include <dirent.h>

#include "payload.h"

int main(void) {
  char open_ones[256] = "", kinds[256] = "";
  int directories = 0;
  for (int fd = 0; fd < 65536; ++fd) {
    struct stat info;
    if (fcntl(fd, F_GETFD) < 0) continue;
    sprintf(open_ones + strlen(open_ones), "%s%d", open_ones[0] == '\0' ? "" : " ", fd);
    fstat(fd, &info);
    directories += S_ISDIR(info.st_mode);
    sprintf(kinds + strlen(kinds), "%s%s", kinds[0] == '\0' ? "" : " ",
            S_ISFIFO(info.st_mode) ? "fifo" : "other");
  }
  say("open", "%s", open_ones);
  say("kinds", "%s", kinds);
  say("directories", "%d", directories);
  DIR* listing = opendir("/proc/self/fd");
  int listed = 0;
  for (struct dirent* entry; (entry = readdir(listing)) != NULL;) listed += entry->d_name[0] != '.';
  say("listed", "%d", listed - 1); /* without the listing's own */
  return 0;
}
