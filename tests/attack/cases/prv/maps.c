/* PRV-15: the files of /proc/self that change who one is. */
#include "payload.h"

int main(void) {
  TRY("uid_map", open("/proc/self/uid_map", O_WRONLY));
  TRY("gid_map", open("/proc/self/gid_map", O_WRONLY));
  TRY("projid_map", open("/proc/self/projid_map", O_WRONLY));
  TRY("loginuid", open("/proc/self/loginuid", O_WRONLY));
  TRY("attr_exec", open("/proc/self/attr/exec", O_WRONLY));
  FILE* map = fopen("/proc/self/uid_map", "r");
  unsigned inside, outside, count;
  char text[256] = "";
  while (map != NULL && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3) {
    sprintf(text + strlen(text), "%s%u:%u", text[0] == '\0' ? "" : " ", inside, count);
  }
  say("map_is", "%s", text);
  return 0;
}
