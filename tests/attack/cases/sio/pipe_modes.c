/* SIO-09 */
#include "payload.h"

int main(void) {
  TRY("nonblocking", fcntl(2, F_SETFL, O_NONBLOCK));
  TRY("packets", fcntl(2, F_SETFL, O_NONBLOCK | O_DIRECT));
  TRY("async", fcntl(2, F_SETFL, O_NONBLOCK | O_ASYNC));
  TRY("larger", fcntl(2, F_SETPIPE_SZ, 1 << 20));
  TRY("smaller", fcntl(2, F_SETPIPE_SZ, 4096));
  TRY("chmod", fchmod(2, 0));
  TRY("chown", fchown(2, 1, 1));
  say("size", "%d", fcntl(2, F_GETPIPE_SZ));
  static char block[4096];
  long written = 0;
  for (int i = 0; i < 10000 && written < 20000; ++i) {
    ssize_t wrote = write(2, block, sizeof block);
    if (wrote > 0) written += wrote;
    if (wrote < 0 && errno == EAGAIN) usleep(1000);
  }
  say("then", "%s", written >= 20000 ? "written" : "stuck");
  return 0;
}
