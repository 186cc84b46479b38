/* SYS-22: every option by number; those that are allowed are named. */
#include <sys/prctl.h>

#include "payload.h"

int main(void) {
  char allowed[512] = "", silent[512] = "", name[16] = "payload";
  int refused = 0, others = 0;
  for (int option = 0; option < 128; ++option) {
    errno = 0;
    long result = prctl(option, option == PR_SET_NAME || option == PR_GET_NAME ? (long)name : 0, 0, 0, 0);
    char* list = result >= 0 ? allowed : errno == EINVAL ? silent : NULL;
    if (list != NULL) {
      sprintf(list + strlen(list), "%s%d", list[0] == '\0' ? "" : " ", option);
      ++others;
    } else {
      refused += errno == EPERM;
    }
  }
  say("refused", "%s", refused + others == 128 ? "all others" : "not all others");
  say("allowed", "%s", allowed);
  say("as_if_unknown", "%s", silent);
  TRY("ptracer", prctl(PR_SET_PTRACER, -1L, 0, 0, 0));
  TRY("high_bits", syscall(SYS_prctl, 0x100000000UL | PR_SET_DUMPABLE, 0, 0, 0, 0));
  TRY("auxv", prctl(0x41555856 /* PR_GET_AUXV */, 0, 0, 0, 0));
  return 0;
}
