/* NET-15: a run that has a loopback interface, and looks for whatever else there may be behind it. The
 * arguments: a port that a service of the host's listens at on 127.0.0.1, and one at which another run does
 * (net/listen.c). */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "payload.h"

static int neighbours_port;

static socklen_t address_of(const char* address, int port, struct sockaddr_storage* to) {
  struct sockaddr_in* four = (struct sockaddr_in*)to;
  struct sockaddr_in6* six = (struct sockaddr_in6*)to;
  memset(to, 0, sizeof *to);
  if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    return sizeof *four;
  }
  inet_pton(AF_INET6, address, &six->sin6_addr);
  six->sin6_family = AF_INET6;
  six->sin6_port = htons((uint16_t)port);
  if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr) || IN6_IS_ADDR_MULTICAST(&six->sin6_addr))
    six->sin6_scope_id = 1;
  return sizeof *six;
}

static long reach(int type, const char* address, int port) {
  struct sockaddr_storage to;
  socklen_t size = address_of(address, port, &to);
  int fd = socket(to.ss_family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  long result = connect(fd, (struct sockaddr*)&to, size);
  if (result == 0 && type == SOCK_DGRAM) {
    result = send(fd, "attack", 6, 0);
    /* A port that nobody has is told by the next call. */
    struct timeval patience = {.tv_usec = 100000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char answer[8];
    if (result == 6) result = recv(fd, answer, sizeof answer, 0);
  }
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static long bind_to(const char* address) {
  struct sockaddr_storage at;
  socklen_t size = address_of(address, 0, &at);
  int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return fd < 0 ? -1 : bind(fd, (struct sockaddr*)&at, size);
}

/* Both with sendto, which names an address as well: a connection at once, and a datagram. */
static long send_to(int type, const char* address, int flags) {
  struct sockaddr_storage to;
  socklen_t size = address_of(address, 53, &to);
  int fd = socket(to.ss_family, type | SOCK_CLOEXEC, 0);
  return fd < 0 ? -1 : sendto(fd, "attack", 6, flags, (struct sockaddr*)&to, size);
}

/* Ancillary data can name a source, a way and a lifetime, which setsockopt is not asked for. */
static long send_with(int level, int type, const void* value, size_t size) {
  struct sockaddr_storage to;
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(64)];
  } control;
  struct iovec data = {"attack", 6};
  struct msghdr message = {.msg_name = &to,
                           .msg_namelen = address_of("127.0.0.1", 9, &to),
                           .msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = CMSG_SPACE(size)};
  memset(&control, 0, sizeof control);
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(header), value, size);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return fd < 0 ? -1 : sendmsg(fd, &message, 0);
}

static long abstract(const char* name) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  memcpy(to.sun_path + 1, name, strlen(name));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return connect(fd, (struct sockaddr*)&to, (socklen_t)(sizeof(sa_family_t) + 1 + strlen(name)));
}

static long set(int family, int level, int option, const void* value, size_t size) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return setsockopt(fd, level, option, value, (socklen_t)size);
}

static long interface(unsigned long request, const char* name) {
  struct ifreq asked = {.ifr_flags = 0};
  strcpy(asked.ifr_name, name);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return ioctl(fd, request, &asked);
}

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  neighbours_port = atoi(argv[2]);
  TRY("own", bind_to("127.0.0.1"));
  TRY("own6", bind_to("::1"));
  TRY("metadata", reach(SOCK_STREAM, "169.254.169.254", 80));
  TRY("metadata_udp", reach(SOCK_DGRAM, "169.254.169.254", 53));
  TRY("metadata6", reach(SOCK_STREAM, "fd00:ec2::254", 80));
  TRY("public", reach(SOCK_STREAM, "8.8.8.8", 53));
  TRY("private", reach(SOCK_DGRAM, "10.0.0.1", 53));
  TRY("mapped", reach(SOCK_STREAM, "::ffff:169.254.169.254", 80));
  TRY("link_local", reach(SOCK_STREAM, "fe80::1", 80));
  TRY("fast_open", send_to(SOCK_STREAM, "169.254.169.254", MSG_FASTOPEN));
  TRY("broadcast", send_to(SOCK_DGRAM, "255.255.255.255", 0));
  TRY("own_broadcast", send_to(SOCK_DGRAM, "127.255.255.255", 0));
  TRY("multicast", send_to(SOCK_DGRAM, "224.0.0.1", 0));
  TRY("unrouted", send_to(SOCK_DGRAM, "169.254.169.254", MSG_DONTROUTE));
  TRY("foreign_name", bind_to("10.0.0.1"));
  TRY("foreign_name6", bind_to("2001:db8::1"));
  TRY("host_service", reach(SOCK_STREAM, "127.0.0.1", atoi(argv[1])));
  TRY("host_any", reach(SOCK_STREAM, "0.0.0.0", atoi(argv[1])));
  TRY("host_mapped", reach(SOCK_STREAM, "::ffff:127.0.0.1", atoi(argv[1])));
  TRY("run_service", reach(SOCK_STREAM, "127.0.0.1", neighbours_port));
  TRY("run_service6", reach(SOCK_STREAM, "::1", neighbours_port));
  TRY("run_udp", reach(SOCK_DGRAM, "127.0.0.1", neighbours_port));
  TRY("run_abstract", abstract("caisson-attack-run"));
  /* A run may say where its own packets come from and how long they live; they stay on its interface. */
  struct in_pktinfo from = {.ipi_spec_dst.s_addr = inet_addr("10.0.0.1")};
  TRY("forged_source", send_with(IPPROTO_IP, IP_PKTINFO, &from, sizeof from));
  int mark = 1;
  TRY("forged_mark", send_with(SOL_SOCKET, SO_MARK, &mark, sizeof mark));
  char options[] = {7, 7, 4, 0, 0, 0, 0, 0}; /* record route */
  TRY("ip_options", set(AF_INET, IPPROTO_IP, IP_OPTIONS, options, sizeof options));
  TRY("transparent", set(AF_INET, IPPROTO_IP, IP_TRANSPARENT, &mark, sizeof mark));
  TRY("header_included", set(AF_INET, IPPROTO_IP, IP_HDRINCL, &mark, sizeof mark));
  TRY("repair", set(AF_INET, IPPROTO_TCP, TCP_REPAIR, &mark, sizeof mark));
  TRY("ulp", set(AF_INET, IPPROTO_TCP, TCP_ULP, "tls", 4));
  TRY("congestion", set(AF_INET, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5));
  TRY("tables", set(AF_INET, IPPROTO_IP, 64, options, sizeof options));
  TRY("tables6", set(AF_INET6, IPPROTO_IPV6, 64, options, sizeof options));
  TRY("to_inet", set(AF_INET6, IPPROTO_IPV6, 1, &(int){AF_INET}, sizeof(int)));
  TRY("down", interface(SIOCSIFFLAGS, "lo"));
  TRY("rename", interface(SIOCSIFNAME, "lo"));
  TRY("sysctl", open("/proc/sys/net/ipv4/tcp_max_orphans", O_WRONLY | O_CLOEXEC));
  TRY("raw", socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  TRY("packet", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  return 0;
}
