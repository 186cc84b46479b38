/* SYS-14: numbers beyond every table. */
#include "payload.h"

int main(void) {
  TRY_FORKED("n600", syscall(600));
  TRY_FORKED("n1000", syscall(1000));
  TRY_FORKED("n1023", syscall(1023));
  TRY_FORKED("n1024", syscall(1024));
  TRY_FORKED("n65536", syscall(65536));
  TRY_FORKED("first_unknown", syscall(470));
  TRY_FORKED("gap", syscall(340));
  say("alive", "yes");
  return 0;
}
