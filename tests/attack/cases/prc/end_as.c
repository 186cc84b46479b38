/* PRC-09 */
#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  const char* how = argv[1];
  if (strncmp(how, "exit-", 5) == 0) _exit(atoi(how + 5));
  if (strcmp(how, "raise-sigsys") == 0) raise(SIGSYS);
  if (strcmp(how, "raise-sigkill") == 0) raise(SIGKILL);
  if (strcmp(how, "raise-sigxcpu") == 0) raise(SIGXCPU);
  if (strcmp(how, "raise-sigxfsz") == 0) raise(SIGXFSZ);
  if (strcmp(how, "child-sigsys") == 0) {
    pid_t child = fork();
    if (child == 0) raise(SIGSYS);
    say_end("child", child);
    _exit(3);
  }
  return 1;
}
