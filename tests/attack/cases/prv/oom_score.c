/* PRV-11: who dies first when memory runs out. */
#include "payload.h"

int main(void) {
  TRY("own", open("/proc/self/oom_score_adj", O_WRONLY));
  TRY("thread", open("/proc/thread-self/oom_score_adj", O_RDWR));
  TRY("init", open("/proc/1/oom_score_adj", O_WRONLY));
  return 0;
}
