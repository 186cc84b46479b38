/* OUT-04 */
#include <sys/socket.h>
#include <sys/un.h>

#include "payload.h"

int main(void) {
  mkdir("/box/out", 0755);
  mkdir("/box/out/directory", 0755);
  close(open("/box/out/empty", O_CREAT | O_WRONLY, 0644));
  struct sockaddr_un at = {AF_UNIX, "/box/out/socket"};
  TRY("socket", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&at, sizeof at));
  return 0;
}
