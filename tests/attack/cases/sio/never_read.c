/* SIO-05 */
#include "payload.h"

int main(void) {
  usleep(300000);
  say("unread", "yes");
  return 0;
}
