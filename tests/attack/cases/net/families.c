/* NET-06: families 0 to 50, types 1 to 6 and 10. */
#include <sys/socket.h>

#include "payload.h"

static const int kTypes[] = {1, 2, 3, 4, 5, 6, 10};

static void all(const char* name, char* refusals, int pairs) {
  char allowed[1024] = "";
  for (int family = 0; family <= 50; ++family) {
    for (size_t i = 0; i < sizeof kTypes / sizeof *kTypes; ++i) {
      int pair[2] = {-1, -1};
      errno = 0;
      long result = pairs ? socketpair(family, kTypes[i], 0, pair) : (pair[0] = socket(family, kTypes[i], 0));
      int error = errno;
      if (result >= 0) {
        /* The kernel makes a datagram socket of SOCK_RAW in AF_UNIX. */
        if (kTypes[i] != SOCK_RAW) {
          sprintf(allowed + strlen(allowed), "%s%d/%d", allowed[0] == '\0' ? "" : " ", family, kTypes[i]);
        }
        close(pair[0]);
        if (pairs) close(pair[1]);
      } else if (refusals != NULL && strstr(refusals, strerrorname_np(error)) == NULL) {
        sprintf(refusals + strlen(refusals), "%s%s", refusals[0] == '\0' ? "" : " ", strerrorname_np(error));
      }
    }
  }
  say(name, "%s", allowed);
}

int main(void) {
  char refusals[256] = "";
  all("allowed", refusals, 0);
  say("refused", "%s", refusals);
  all("pairs_allowed", NULL, 1);
  return 0;
}
