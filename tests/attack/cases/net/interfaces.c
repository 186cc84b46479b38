/* NET-14: the ioctls of interfaces work on any socket, of AF_UNIX too. */
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "payload.h"

int main(void) {
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0) return 1;
  struct ifconf list = {0};
  TRY("list", ioctl(fd, SIOCGIFCONF, &list));
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo");
  TRY("flags", ioctl(fd, SIOCGIFFLAGS, &request));
  request.ifr_flags = IFF_UP;
  TRY("up", ioctl(fd, SIOCSIFFLAGS, &request));
  TRY("address", ioctl(fd, SIOCSIFADDR, &request));
  TRY("bridge", ioctl(fd, SIOCBRADDBR, "attack"));
  strcpy(request.ifr_newname, "attack");
  TRY("rename", ioctl(fd, SIOCSIFNAME, &request));
  return 0;
}
