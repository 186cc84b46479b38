/* PRC-15 */
#include <pthread.h>

#include "payload.h"

static void* rest(void* unused) {
  usleep(200000);
  say("alive", "yes");
  for (;;) pause();
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, rest, NULL);
  pthread_exit(NULL);
}
