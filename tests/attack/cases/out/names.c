/* OUT-08 */
#include "payload.h"

static int made;

static void file(const char* name) {
  char path[256];
  snprintf(path, sizeof path, "/box/out/%s", name);
  int fd = open(path, O_CREAT | O_WRONLY, 0644);
  made += fd >= 0 && write(fd, "x", 1) == 1;
}

int main(void) {
  mkdir("/box/out", 0755);
  file("a\nb");
  file("\x1b[2J");
  file("-rf");
  file("...");
  file(" ");
  file("$(reboot)");
  file("\xff\xfe");
  file("\u202etxt.exe");
  say("made", "%d", made);
  return 0;
}
