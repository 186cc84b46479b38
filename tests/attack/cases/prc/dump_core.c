/* PRC-10 */
#include <dirent.h>

#include "payload.h"

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  TRY("raised", setrlimit(RLIMIT_CORE, &unlimited));
  if (strcmp(argv[1], "segv") == 0) *(volatile int*)0 = 1;
  if (strcmp(argv[1], "abort") == 0) abort();
  pid_t child = fork();
  if (child == 0) raise(SIGQUIT);
  int status = 0;
  waitpid(child, &status, 0);
  say("dumped", "%s", WCOREDUMP(status) ? "yes" : "no");
  char files[256] = "";
  DIR* box = opendir(".");
  for (struct dirent* entry; (entry = readdir(box)) != NULL;) {
    if (entry->d_name[0] != '.')
      sprintf(files + strlen(files), "%s%.60s", files[0] == '\0' ? "" : " ", entry->d_name);
  }
  say("files", "%s", files);
  return 0;
}
