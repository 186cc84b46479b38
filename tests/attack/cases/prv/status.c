/* PRV-01: what the kernel says about this process's privileges. */
#include "payload.h"

static const char* const kFields[] = {"CapInh", "CapPrm",     "CapEff",  "CapBnd",
                                      "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
                                      "Uid",    "Gid",        "Groups"};

int main(void) {
  FILE* status = fopen("/proc/self/status", "r");
  char line[512];
  if (status == NULL) return 1;
  while (fgets(line, sizeof line, status) != NULL) {
    char* colon = strchr(line, ':');
    if (colon == NULL) continue;
    *colon = '\0';
    for (size_t i = 0; i < sizeof kFields / sizeof *kFields; ++i) {
      if (strcmp(line, kFields[i]) != 0) continue;
      char value[256] = "";
      for (char* word = strtok(colon + 1, " \t\n"); word != NULL; word = strtok(NULL, " \t\n")) {
        if (value[0] != '\0') strcat(value, " ");
        strcat(value, word);
      }
      say(kFields[i], "%s", value[0] == '\0' ? "none" : value);
    }
  }
  return 0;
}
