/* SIO-08: the pipes are the run's own. What it does to them it does to itself. */
#include "payload.h"

int main(void) {
  TRY("dev_stdin", open("/dev/stdin", O_RDONLY | O_NONBLOCK));
  TRY("dev_stdout", open("/dev/stdout", O_WRONLY));
  TRY("dev_stderr", open("/dev/stderr", O_WRONLY));
  int back = open("/proc/self/fd/0", O_RDWR | O_NONBLOCK);
  TRY("stdin_write", write(back, "planted", 7));
  char text[64] = "";
  ssize_t got = read(back, text, sizeof text - 1);
  say("stdin_read_back", "%.*s", got > 0 ? (int)got : 0, text);
  TRY("stdout_read", open("/proc/self/fd/1", O_RDWR | O_NONBLOCK));
  say("after", "still works");
  return 0;
}
