/* SYS-22: every option by number; those that are allowed are named. */
#include <sys/prctl.h>

#include "payload.h"

int main(void) {
  char allowed[512] = "";
  int refused = 0, tried = 0;
  char name[16] = "payload";
  for (int option = 0; option < 128; ++option) {
    if (option == PR_SET_NO_NEW_PRIVS) {
      strcat(allowed, " 38"); /* set already; its argument must be 1 */
      continue;
    }
    ++tried;
    errno = 0;
    long result = prctl(option, option == PR_SET_NAME || option == PR_GET_NAME ? (long)name : 0, 0, 0, 0);
    if (result < 0 && errno == EPERM) {
      ++refused;
    } else {
      sprintf(allowed + strlen(allowed), " %d", option);
    }
  }
  int listed = 0;
  for (char* at = allowed; (at = strchr(at, ' ')) != NULL; ++at) ++listed;
  say("refused", "%s", refused + listed - 1 == tried ? "all" : "not all");
  say("allowed", "%s", allowed + 1);
  TRY("ptracer", prctl(PR_SET_PTRACER, -1L, 0, 0, 0));
  TRY("high_bits", syscall(SYS_prctl, 0x100000000UL | PR_SET_DUMPABLE, 0, 0, 0, 0));
  TRY("pac", prctl(0x41555856 /* PR_SET_AUXV and its like */, 0, 0, 0, 0));
  return 0;
}
