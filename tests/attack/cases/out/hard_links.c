/* OUT-03 */
#include "payload.h"

int main(void) {
  mkdir("/box/out", 0755);
  close(open("/box/out/first", O_CREAT | O_WRONLY, 0644));
  TRY("of_root", link("/etc/passwd", "/box/out/passwd"));
  TRY("of_own", link("/box/out/first", "/box/out/second"));
  return 0;
}
