/* OUT-01, OUT-02: links to everything worth reading. */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  mkdir("/box/out", 0755);
  int fd = open("/box/out/real", O_CREAT | O_WRONLY, 0644);
  if (write(fd, "mine", 4) != 4) return 1;
  int planted = 0;
  planted += symlink("/etc/passwd", "/box/out/passwd") == 0;
  planted += symlink("/proc/self/environ", "/box/out/environ") == 0;
  planted += symlink("/proc/1/mem", "/box/out/mem") == 0;
  planted += symlink("/dev/zero", "/box/out/zero") == 0;
  planted += symlink("loop", "/box/out/loop") == 0;
  planted += symlink(argv[1], "/box/out/canary") == 0;
  planted += symlink("../..", "/box/out/up") == 0;
  say("planted", "%d", planted);
  return 0;
}
