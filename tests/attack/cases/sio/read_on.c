/* SIO-06 */
#include "payload.h"

int main(void) {
  char text[64];
  long got = 0, part;
  while (got < 3 && (part = read(0, text, sizeof text)) > 0) got += part;
  say("first", "%ld", got);
  say("then", "%ld", (long)read(0, text, sizeof text));
  say("again", "%ld", (long)read(0, text, sizeof text));
  struct pollfd polled = {0, POLLIN, 0};
  poll(&polled, 1, 1000);
  say("poll", "%s", polled.revents & POLLHUP ? "hangup" : "no hangup");
  return 0;
}
