/* RES-12 */
#include <sys/socket.h>
#include <sys/un.h>

#include "payload.h"

int main(void) {
  char path[64];
  int files = 0;
  for (;; ++files) {
    snprintf(path, sizeof path, "/box/f%d", files);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    if (fd < 0) break;
    close(fd);
  }
  say("files", "%d", files);
  TRY("directories", mkdir("/tmp/d", 0700));
  TRY("symlinks", symlink("x", "/tmp/s"));
  TRY("fifos", mkfifo("/dev/shm/f", 0600));
  struct sockaddr_un at = {AF_UNIX, "/tmp/socket"};
  TRY("sockets", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&at, sizeof at));
  return 0;
}
