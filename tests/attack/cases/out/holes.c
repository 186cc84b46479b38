/* OUT-06 */
#include "payload.h"

int main(void) {
  mkdir("/box/out", 0755);
  int fd = open("/box/out/holes", O_CREAT | O_WRONLY, 0644);
  TRY("truncate", ftruncate(fd, 1 << 30));
  return 0;
}
