/* RES-03 */
#include <pthread.h>

#include "payload.h"

static void* idle(void* unused) {
  for (;;) pause();
  return unused;
}

int main(void) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  int threads = 0, error = 0;
  pthread_t thread;
  while (threads < 5000 && (error = pthread_create(&thread, &small, idle, NULL)) == 0) ++threads;
  say("threads", "%d", threads);
  say("then", "%s", strerrorname_np(error));
  _exit(0);
}
