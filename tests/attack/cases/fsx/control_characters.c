/* FSX-21: what a log, a terminal or a shell would take for an order. */
#include <sys/prctl.h>
#include <sys/socket.h>

#include "payload.h"

int main(int argc, char** argv) {
  say("arguments", "%d", argc - 1);
  TRY("comm", prctl(PR_SET_NAME, "\x1b[2J%n\ncaissond"));
  TRY("file", open("/box/%s%n\x1b[2J\n$(reboot)", O_CREAT | O_WRONLY, 0600));
  socket(AF_INET, SOCK_STREAM, 0); /* refused, and so reported, under that name */
  syscall(SYS_memfd_create, "%s%n\x1b[2J\n", 0);
  char* const words[] = {argv[1], argv[2], NULL};
  TRY("exec_missing", execve("/box/\x1b[2J%n", words, words));
  if (write(2, "\x1b[2J%s%n\n\0caissond: all is well\n", 32) < 0) return 1;
  return 0;
}
