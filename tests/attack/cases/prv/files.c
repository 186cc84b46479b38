/* PRV-13: files in every directory it may write. */
#include "payload.h"

int main(void) {
  int made = 0;
  made += open("/box/mine", O_CREAT | O_WRONLY, 0666) >= 0;
  made += open("/tmp/mine", O_CREAT | O_WRONLY, 0666) >= 0;
  made += open("/dev/shm/mine", O_CREAT | O_WRONLY, 0666) >= 0;
  say("made", "%d", made);
  wait_for_the_end();
}
